package temporal

import (
	"context"
	"net"

	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/primitives"
)

const (
	host        = "127.0.0.1"
	clusterName = "active"
)

// settings returns the server's static configuration.
func (s *Server) settings(store store) *config.Config {
	c := &config.Config{Services: s.services(), Persistence: store.persistence(s.config.FaultRate)}
	c.Global.Membership.BroadcastAddress = host
	c.PublicClient.HostPort = s.Address()
	c.DCRedirectionPolicy.Policy = "noop"
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10,
		MasterClusterName:        clusterName,
		CurrentClusterName:       clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{
			clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: s.Address()},
		},
	}
	disabled := "disabled"
	c.Archival.History.State, c.Archival.Visibility.State = disabled, disabled
	c.NamespaceDefaults.Archival.History.State, c.NamespaceDefaults.Archival.Visibility.State = disabled, disabled
	return c
}

func (s *Server) services() map[string]config.Service {
	ports := map[primitives.ServiceName]int{
		primitives.FrontendService: s.config.Port,
		primitives.HistoryService:  s.internal[0],
		primitives.MatchingService: s.internal[1],
		primitives.WorkerService:   s.internal[2],
	}
	services := map[string]config.Service{}
	for name, port := range ports {
		services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: host}}
	}
	return services
}

// unlimited is a rate that a laptop cannot reach: the limits protect clusters shared by many.
const unlimited = 100_000

// cachedWorkflows is about the number that a laptop starts in ten seconds, after which Temporal reads a workflow once more,
// for the timeout of its first task. A smaller cache made it read each one again: a twentieth of its work.
const cachedWorkflows = 2000

func dynamic(c Config) dynamicconfig.StaticClient {
	settings := dynamicconfig.StaticClient{
		// Starts carry the storefront as their fairness key; without this it would be ignored.
		dynamicconfig.MatchingEnableFairness.Key(): !c.NoFairness,
		// Partitions spread a queue over several nodes. Here there is one node, and one partition keeps the order.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		dynamicconfig.FrontendRPS.Key():                                  unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():           unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): unlimited,
		dynamicconfig.MatchingRPS.Key():                                  unlimited,
		dynamicconfig.HistoryRPS.Key():                                   unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                    unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                    unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                     unlimited,
		dynamicconfig.WorkerPersistenceMaxQPS.Key():                      unlimited,

		// The default of 128,000 workflows, ended ones included, takes gigabytes. One that is not in the cache is read again.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key(): cachedWorkflows,
	}
	if c.ContinueAfter > 0 {
		settings[dynamicconfig.HistoryCountSuggestContinueAsNew.Key()] = c.ContinueAfter
	}
	return settings
}

// checkFree returns an error if the port cannot be listened on.
func checkFree(ctx context.Context, port int) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address(port))
	if err != nil {
		return err
	}
	return l.Close()
}
