package temporal

import (
	"context"
	"fmt"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"
)

// webUI is a running Web UI; the zero value is none.
type webUI struct{ server *uiserver.Server }

// startUI serves the pages that are embedded in the Web UI's module, and returns when they respond.
func startUI(ctx context.Context, frontend string, c Config) (webUI, error) {
	if err := checkFree(ctx, c.UIPort); err != nil { // the Web UI ends the process if it cannot listen
		return webUI{}, err
	}
	ui := webUI{uiserver.NewServer(server_options.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: frontend,
		Host:                host,
		Port:                c.UIPort,
		EnableUI:            true,
		DefaultNamespace:    c.Namespace,
		DisableNewsFetch:    true, // no part needs the network
		HideLogs:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain http on the loopback address
	}))}
	go func() { _ = ui.server.Start() }()
	if err := waitOK(ctx, "http://"+address(c.UIPort)+"/healthz"); err != nil {
		ui.stop()
		return webUI{}, fmt.Errorf("web UI on port %d: %w", c.UIPort, err)
	}
	return ui, nil
}

func (u webUI) stop() {
	if u.server != nil {
		u.server.Stop()
	}
}

// waitOK waits until url responds 200 or ctx ends.
func waitOK(ctx context.Context, url string) error {
	for {
		err := getOK(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func getOK(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s responded %s", url, response.Status)
	}
	_ = response.Body.Close()
	return err
}
