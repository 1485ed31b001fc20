// Package demo fills a system with a day of events, so that the console's pages have data: delivered events,
// an unhealthy destination, events that a switch or a missing mapping stopped, and invalid rows from OMS.
package demo

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"relay/db"
	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox"
	"relay/deploy/sandbox/vendors"
	"relay/internal/ops"
	"relay/internal/relay"
)

// The storefronts of the day.
const (
	Lumen = "lumen" // three direct platforms, one of which refuses its credential
	Halo  = "halo"  // two direct platforms
	Nova  = "nova"  // a container
	Acme  = "acme"  // switched off
)

// pixel is Lumen's pixel id at the platform that refuses its credential.
const pixel = "0a1b2c3d-lumen"

// Open connects to the system's database.
func Open(system *harness.System) (*sql.DB, error) {
	config, err := db.ParseURL(system.DatabaseURL())
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// UseSandbox sets the platforms' address to the sandbox's, which may have moved to another port.
func UseSandbox(ctx context.Context, system *harness.System) error {
	for _, code := range vendors.Codes() {
		base := system.Sandbox.BaseURL + vendors.Prefix + code
		if err := seed.On(system.Store).SetPlatformURL(ctx, code, base); err != nil {
			return err
		}
	}
	return nil
}

// Fill creates the storefronts and inserts a day of rows, as OMS does, n an hour at noon; the relay then delivers them. Rows
// of an earlier start are kept.
func Fill(ctx context.Context, system *harness.System, n int) (Day, error) {
	pool, err := Open(system)
	if err != nil {
		return Day{}, err
	}
	defer func() { _ = pool.Close() }()
	if err := UseSandbox(ctx, system); err != nil {
		return Day{}, err
	}
	refuses := sandbox.Rule{Path: vendors.Prefix + "snapchat/v3/" + pixel, Then: sandbox.Answer{Status: http.StatusUnauthorized}}
	if err := system.Sandbox.Answer(ctx, refuses); err != nil {
		return Day{}, err
	}
	if err := storefronts(ctx, system); err != nil {
		return Day{}, fmt.Errorf("demo storefronts: %w", err)
	}
	return rows(ctx, pool, n)
}

// direct holds the credentials of the storefronts without a container.
var direct = map[string]map[string]map[string]string{
	Lumen: {
		"meta_capi": {"pixel_id": "998877665544", "access_token": "token-of-lumen-at-meta"},
		"ga4":       {"measurement_id": "G-LUMEN", "api_secret": "secret-of-lumen-at-ga4"},
		"snapchat":  {"pixel_id": pixel, "access_token": "token-of-lumen-at-snapchat"},
	},
	Halo: {
		"meta_capi": {"pixel_id": "112233445566", "access_token": "token-of-halo-at-meta"},
		"ga4":       {"measurement_id": "G-HALO", "api_secret": "secret-of-halo-at-ga4"},
	},
}

func storefronts(ctx context.Context, system *harness.System) error {
	s := seed.On(system.Store)
	for code, credentials := range direct {
		id, err := ensure(ctx, system, relay.Storefront{Code: code, Name: strings.ToUpper(code[:1]) + code[1:], Active: true, BaseURL: "https://" + code + ".example"})
		if err != nil {
			return err
		}
		for platform, fields := range credentials {
			c := ops.Credential{Platform: platform, Fields: map[string]relay.Secret{}, Active: true,
				Options: relay.Options{Identifiers: "hashed", SendIP: true, SendUserAgent: true}}
			for name, value := range fields {
				c.Fields[name] = relay.NewSecret(value)
			}
			if err := s.PutCredential(ctx, id, c); err != nil {
				return fmt.Errorf("%s: %w", platform, err)
			}
		}
	}
	nova, err := ensure(ctx, system, relay.Storefront{Code: Nova, Name: "Nova", Active: true, BaseURL: "https://nova.example"})
	if err != nil {
		return err
	}
	container := ops.SGTMConfig{URL: system.Sandbox.BaseURL + "/" + Nova, MeasurementID: "G-NOVA", APISecret: relay.NewSecret("secret-of-nova"), Active: true}
	if err := s.PutSGTM(ctx, nova, container); err != nil {
		return err
	}
	_, err = ensure(ctx, system, relay.Storefront{Code: Acme, Name: "Acme", BaseURL: "https://acme.example"})
	return err
}

func ensure(ctx context.Context, system *harness.System, f relay.Storefront) (int64, error) {
	id, err := seed.On(system.Store).CreateStorefront(ctx, f)
	if !errors.Is(err, relay.ErrConflict) {
		return id, err
	}
	ids, err := system.Store.StorefrontIDs(ctx, []string{f.Code})
	return ids[f.Code], err
}

// kinds holds the storefronts and event types of the rows, in turn.
var kinds = []struct{ storefront, event string }{
	{Nova, "purchase_completed"}, {Halo, "purchase_completed"}, {Nova, "consult_started"}, {Halo, "consult_started"}, {Lumen, "purchase_completed"},
	{Nova, "rx_issued"}, {Halo, "purchase_completed"}, {Nova, "consult_started"}, {Acme, "purchase_completed"}, {Halo, "rx_issued"}, {Nova, "purchase_completed"},
}

// rows inserts the last 24 hours, busier by day than by night.
func rows(ctx context.Context, pool *sql.DB, n int) (Day, error) {
	now := time.Now().UTC()
	day := Day{began: now.Truncate(ops.ServiceStep)}
	for hour := 23; hour >= 0; hour-- {
		begins := now.Add(-time.Duration(hour) * time.Hour).Truncate(time.Hour)
		count := int(float64(n) * (0.55 - 0.45*math.Cos(float64(begins.Hour())*math.Pi/12)))
		for i := range count {
			at := begins.Add(time.Hour * time.Duration(i) / time.Duration(count))
			if at.After(now.Add(-time.Minute)) {
				break
			}
			kind := kinds[(i+hour)%len(kinds)]
			if i == 3 && hour%8 == 0 {
				kind.storefront = "lumenn" // a typo in OMS
			}
			order := fmt.Sprintf("%s-%s-%d", kind.storefront, at.Format("0102-15"), i)
			id, err := insert(ctx, pool, order, kind.storefront, kind.event, at)
			if err != nil {
				return day, err
			}
			if day.last = max(day.last, id); day.first == 0 {
				day.first = id
			}
		}
	}
	return day, nil
}

// insert returns the id of the row, or zero if an earlier start inserted it.
func insert(ctx context.Context, pool *sql.DB, order, storefront, event string, at time.Time) (int64, error) {
	payload, _ := json.Marshal(map[string]any{ // cannot fail: plain values
		"event_time": at.Format(time.RFC3339), "order_id": order, "order_revenue": 80.79, "currency": "USD", "session_id": "sess_" + order, "ga_session_id": strconv.FormatInt(at.Unix(), 10),
		"email": "jane.doe@example.com", "phone": "+1 415 555 0132", "first_name": "Jane", "last_name": "Doe", "zip": "94107", "country": "US",
		"client_ip": "203.0.113.9", "user_agent": "Mozilla/5.0 (demo)", "consent": "granted",
	})
	res, err := pool.ExecContext(ctx, `INSERT INTO marketing_events (event_id, storefront_code, event_type, event_payload, source_system, status, created_at)
		VALUES (?, ?, ?, ?, 'oms_direct', 'pending', ?)`, order, storefront, event, payload, at)
	var known *mysql.MySQLError
	if errors.As(err, &known) && known.Number == 1062 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}
