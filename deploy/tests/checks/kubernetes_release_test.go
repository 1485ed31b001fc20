package checks_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// release renders the example as the page "Deploys" has people change it.
func release(t *testing.T, image, tag string) manifests {
	t.Helper()
	files := filesys.MakeFsInMemory()
	for _, folder := range []string{base, example} {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, entry := range entries {
			text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			require.NoError(t, err)
			changed := strings.NewReplacer("newName: registry.example.com/marketing-events-relay ", "newName: "+image+" ", "newTag: 0.1.0 ", "newTag: "+tag+" ").Replace(string(text))
			require.NoError(t, files.WriteFile(filepath.Join("/", strings.TrimPrefix(folder, "../../"), entry.Name()), []byte(changed)))
		}
	}
	return renderFrom(t, files, "/kubernetes/overlays/example")
}

// TestEachReleaseHasAJobOfItsOwn: a job's template is immutable, so that the job of another image could not be applied.
func TestEachReleaseHasAJobOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ image, tag string }{
		"first release":       {"registry.example.com/marketing-events-relay", "0.1.0"},
		"second release":      {"registry.example.com/marketing-events-relay", "v0.2.0"},
		"a registry's port":   {"registry.example.com:5000/marketing-events-relay", "0.2.0"},
		"another name":        {"registry.example.com/acme/relay", "2026.1.15"},
		"a tag with a dash":   {"registry.example.com/marketing-events-relay", "0.2.0-rc.1"},
		"a commit of a build": {"registry.example.com/marketing-events-relay", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := release(t, c.image, c.tag)
			require.Len(t, all, 9)
			require.Contains(t, all, "Job/relay-migrate-"+c.tag)
			require.Empty(t, validation.IsDNS1123Subdomain("relay-migrate-"+c.tag))
			require.Less(t, len("relay-migrate-"+c.tag), validation.DNS1123LabelMaxLength, "the job's label on its pods has it, too")
			for pod, template := range pods(t, all) {
				require.Equal(t, c.image+":"+c.tag, template.Spec.Containers[0].Image, pod)
			}
		})
	}
}
