package checks_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"relay/workflows"
)

const (
	base    = "../../kubernetes/base"
	example = "../../kubernetes/overlays/example"
)

// manifests holds the objects of a rendered folder by kind and name.
type manifests map[string]runtime.Object

// render builds a folder as kustomize v5.8.2 does (its library is this version's), and decodes every document into the type
// that it claims to be. An unknown field fails.
func render(t *testing.T, folder string) manifests {
	t.Helper()
	return renderFrom(t, filesys.MakeFsOnDisk(), folder)
}

func renderFrom(t *testing.T, files filesys.FileSystem, folder string) manifests {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, folder)
	require.NoError(t, err)
	all := manifests{}
	for _, resource := range built.Resources() {
		text, err := resource.AsYAML()
		require.NoError(t, err)
		object, err := decode(text)
		require.NoError(t, err, "%s", text)
		all[resource.GetKind()+"/"+resource.GetName()] = object
	}
	return all
}

func decode(text []byte) (runtime.Object, error) {
	object, _, err := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer().Decode(text, nil, nil)
	return object, err
}

func get[T runtime.Object](t *testing.T, all manifests, name string) T {
	t.Helper()
	require.Contains(t, all, name)
	object, ok := all[name].(T)
	require.True(t, ok, "%s is a %T", name, all[name])
	return object
}

func TestAMisspeltFieldFails(t *testing.T) {
	t.Parallel()
	_, err := decode([]byte("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selektor: {a: b}}\n"))
	require.ErrorContains(t, err, `unknown field "spec.selektor"`)
	_, err = decode([]byte("apiVersion: v2\nkind: Service\n"))
	require.Error(t, err)
}

func TestManifestsAreValid(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{base, example} {
		require.Len(t, render(t, folder), 9, folder)
	}
}

// pods returns the templates of all pods.
func pods(t *testing.T, all manifests) map[string]corev1.PodTemplateSpec {
	t.Helper()
	jobs := slices.DeleteFunc(slices.Collect(maps.Keys(all)), func(name string) bool { return !strings.HasPrefix(name, "Job/") })
	require.Len(t, jobs, 1)
	return map[string]corev1.PodTemplateSpec{
		"api":     get[*appsv1.Deployment](t, all, "Deployment/relay-api").Spec.Template,
		"worker":  get[*appsv1.Deployment](t, all, "Deployment/relay-worker").Spec.Template,
		"migrate": get[*batchv1.Job](t, all, jobs[0]).Spec.Template,
	}
}

func TestPodsRunACommandOfTheRelayWithMinimalRights(t *testing.T) {
	t.Parallel()
	for name, pod := range pods(t, render(t, base)) {
		require.Len(t, pod.Spec.Containers, 1)
		c := pod.Spec.Containers[0]
		require.Empty(t, c.Command, "the image has its own entry point")
		requireCommand(t, c.Args)
		require.Equal(t, "relay", pod.Spec.ServiceAccountName)
		require.False(t, *pod.Spec.AutomountServiceAccountToken, name)
		require.False(t, *pod.Spec.EnableServiceLinks, name)
		require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot, name)
		require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.Spec.SecurityContext.SeccompProfile.Type)
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
		require.False(t, *c.SecurityContext.AllowPrivilegeEscalation, name)
		require.Equal(t, []corev1.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop, name)
		require.NotZero(t, c.Resources.Requests.Cpu().MilliValue(), name)
		require.NotZero(t, c.Resources.Limits.Memory().Value(), name)
		require.Len(t, c.Env, 1, "settings come from the ConfigMap and the secret")
		require.Equal(t, "GOMEMLIMIT", c.Env[0].Name)
		require.Len(t, c.EnvFrom, 2, name)
		require.Equal(t, "relay", c.EnvFrom[0].ConfigMapRef.Name)
		require.Equal(t, "relay", c.EnvFrom[1].SecretRef.Name)
	}
}

func TestProbesRequestPathsOfTheRelay(t *testing.T) {
	t.Parallel()
	all := render(t, base)
	for _, name := range []string{"Deployment/relay-api", "Deployment/relay-worker"} {
		c := get[*appsv1.Deployment](t, all, name).Spec.Template.Spec.Containers[0]
		require.Equal(t, "/health", c.LivenessProbe.HTTPGet.Path)
		require.Equal(t, "/health/ready", c.ReadinessProbe.HTTPGet.Path)
		require.Equal(t, c.Ports[0].Name, c.LivenessProbe.HTTPGet.Port.String())
		require.Equal(t, c.Ports[0].Name, c.ReadinessProbe.HTTPGet.Port.String())
		require.EqualValues(t, 8000, c.Ports[0].ContainerPort, "the default of LISTEN_ADDR")
	}
}

func TestPrometheusScrapesEveryPodWithMetrics(t *testing.T) {
	t.Parallel()
	all := render(t, base)
	address := get[*corev1.ConfigMap](t, all, "ConfigMap/relay").Data["METRICS_ADDR"]
	for _, name := range []string{"Deployment/relay-api", "Deployment/relay-worker"} {
		pod := get[*appsv1.Deployment](t, all, name).Spec.Template
		require.Equal(t, "metrics", pod.Spec.Containers[0].Ports[1].Name)
		require.Equal(t, address, fmt.Sprint(":", pod.Spec.Containers[0].Ports[1].ContainerPort))
		require.Equal(t, map[string]string{"prometheus.io/scrape": "true", "prometheus.io/port": address[1:], "prometheus.io/path": "/metrics"}, pod.Annotations)
	}
	for _, port := range get[*corev1.Service](t, all, "Service/relay-api").Spec.Ports {
		require.NotEqual(t, "metrics", port.TargetPort.String(), "/metrics has no login")
	}
}

// The SDK stops a worker in two steps, each with its own time-out, and requests end before that.
func TestAWorkerHasTimeToEndItsAttempts(t *testing.T) {
	t.Parallel()
	const drain = 10
	least := 2*int64(workflows.WorkerStopTimeout.Seconds()) + drain
	all := pods(t, render(t, base))
	require.Greater(t, *all["worker"].Spec.TerminationGracePeriodSeconds, least)
	api := all["api"].Spec
	require.Greater(t, *api.TerminationGracePeriodSeconds, api.Containers[0].Lifecycle.PreStop.Sleep.Seconds+2*drain)
}

func TestSelectorsFindTheirPods(t *testing.T) {
	t.Parallel()
	all := render(t, example)
	templates := pods(t, all)
	service := get[*corev1.Service](t, all, "Service/relay-api")
	require.True(t, labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(templates["api"].Labels)))
	require.Equal(t, templates["api"].Spec.Containers[0].Ports[0].Name, service.Spec.Ports[0].TargetPort.String())
	for role, name := range map[string]string{"api": "relay-api", "worker": "relay-worker"} {
		deployment := get[*appsv1.Deployment](t, all, "Deployment/"+name)
		budget := get[*policyv1.PodDisruptionBudget](t, all, "PodDisruptionBudget/"+name)
		spread := deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector
		for _, selector := range []*metav1.LabelSelector{deployment.Spec.Selector, budget.Spec.Selector, spread} {
			s, err := metav1.LabelSelectorAsSelector(selector)
			require.NoError(t, err)
			require.True(t, s.Matches(labels.Set(templates[role].Labels)), name)
		}
	}
	scaler := get[*autoscalingv2.HorizontalPodAutoscaler](t, all, "HorizontalPodAutoscaler/relay-api")
	require.Equal(t, "relay-api", scaler.Spec.ScaleTargetRef.Name)
	require.Nil(t, get[*appsv1.Deployment](t, all, "Deployment/relay-api").Spec.Replicas, "the autoscaler sets the number")
	require.GreaterOrEqual(t, *scaler.Spec.MinReplicas, int32(2))
	require.GreaterOrEqual(t, *get[*appsv1.Deployment](t, all, "Deployment/relay-worker").Spec.Replicas, int32(2))
}

func TestTheExampleSetsWhatTheBaseLeavesOpen(t *testing.T) {
	t.Parallel()
	all := render(t, example)
	for name, pod := range pods(t, all) {
		require.Equal(t, "registry.example.com/marketing-events-relay:0.1.0", pod.Spec.Containers[0].Image, name)
	}
	for name, object := range all {
		meta, ok := object.(metav1.Object)
		require.True(t, ok)
		require.Equal(t, "marketing-events", meta.GetNamespace(), name)
	}
	for variable := range get[*corev1.ConfigMap](t, all, "ConfigMap/relay").Data {
		require.Contains(t, knownVariables(), variable)
	}
}
