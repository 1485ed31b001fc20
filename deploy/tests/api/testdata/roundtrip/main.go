// Command roundtrip creates a storefront, its container and a credential through a generated client, and deletes them
// again. It exits with 1 at the first unexpected response.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"relay/deploy/tests/api/testdata/roundtrip/client"
)

func main() {
	if err := roundTrip(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "roundtrip:", err)
		os.Exit(1)
	}
}

func login(_ context.Context, req *http.Request) error {
	req.SetBasicAuth(os.Getenv("RELAY_USERNAME"), os.Getenv("RELAY_PASSWORD"))
	return nil
}

func roundTrip(ctx context.Context) error {
	c, err := client.NewClientWithResponses(os.Getenv("RELAY_URL"), client.WithRequestEditorFn(login))
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, *client.ClientWithResponses) error{storefront, container, credential, refusals, cleanUp, audit} {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// want returns an error that names the step, unless ok.
func want(ok bool, err error, step string, got fmt.Stringer) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", step, err)
	case !ok:
		return fmt.Errorf("%s: %v", step, got)
	}
	return nil
}

type text string

func (t text) String() string { return string(t) }

func storefront(ctx context.Context, c *client.ClientWithResponses) error {
	id, name := int64(5), "Bosley"
	made, err := c.CreateStorefrontWithResponse(ctx, nil, client.StorefrontInput{Id: &id, StorefrontId: "bosley", Name: &name})
	if err := want(err == nil && made.JSON201 != nil && made.JSON201.Id == 5, err, "create", text(fmt.Sprintf("%+v", made))); err != nil {
		return err
	}
	read, err := c.GetStorefrontWithResponse(ctx, 5)
	if err := want(err == nil && read.JSON200 != nil && read.JSON200.Name == "Bosley", err, "read", text(fmt.Sprintf("%+v", read))); err != nil {
		return err
	}
	etag, currency := read.HTTPResponse.Header.Get("ETag"), "EUR"
	patched, err := c.PatchStorefrontWithResponse(ctx, 5, &client.PatchStorefrontParams{IfMatch: &etag}, client.StorefrontPatch{Currency: &currency})
	if err := want(err == nil && patched.JSON200 != nil && patched.JSON200.Currency == "EUR", err, "patch", text(fmt.Sprintf("%+v", patched))); err != nil {
		return err
	}
	lost, err := c.ReplaceStorefrontWithResponse(ctx, 5, &client.ReplaceStorefrontParams{IfMatch: &etag}, client.StorefrontInput{StorefrontId: "bosley"})
	return want(err == nil && lost.ApplicationproblemJSON412 != nil, err, "a lost update", text(fmt.Sprintf("%+v", lost)))
}

func container(ctx context.Context, c *client.ClientWithResponses) error {
	code, id, secret := "bosley", "G-ABC123", "mJ7nR2vT4xW8zB"
	made, err := c.CreateSgtmConfigWithResponse(ctx, nil, client.SGTMConfigInput{StorefrontCode: &code, SgtmUrl: "https://tags.example.com",
		MeasurementId: &id, ApiSecret: &secret})
	if err := want(err == nil && made.JSON201 != nil && made.JSON201.ApiSecret.LastFour == "W8zB", err, "create sgtm", text(fmt.Sprintf("%+v", made))); err != nil {
		return err
	}
	stop := client.DeactivateSgtmConfigParamsFallback("stop")
	off, err := c.DeactivateSgtmConfigWithResponse(ctx, made.JSON201.Id, &client.DeactivateSgtmConfigParams{Fallback: &stop})
	if err := want(err == nil && off.JSON200 != nil && strings.Contains(off.JSON200.Routes[0].Text, "nowhere"), err, "deactivate sgtm", text(fmt.Sprintf("%+v", off))); err != nil {
		return err
	}
	on, err := c.ActivateSgtmConfigWithResponse(ctx, made.JSON201.Id, nil)
	return want(err == nil && on.JSON200 != nil && on.JSON200.Routes[0].Destinations[0] == "sgtm", err, "activate sgtm", text(fmt.Sprintf("%+v", on)))
}

func credential(ctx context.Context, c *client.ClientWithResponses) error {
	code, platform := "bosley", "meta_capi"
	made, err := c.CreateCredentialWithResponse(ctx, nil, client.CredentialInput{StorefrontCode: &code, PlatformCode: &platform,
		Credentials: map[string]string{"pixel_id": "1234567890", "access_token": "EAAB-very-long-token-x9Kq"}})
	if err := want(err == nil && made.JSON201 != nil && made.JSON201.Secrets["access_token"].LastFour == "x9Kq", err, "create credential",
		text(fmt.Sprintf("%+v", made))); err != nil {
		return err
	}
	list, err := c.ListCredentialsWithResponse(ctx, &client.ListCredentialsParams{PlatformCode: &platform})
	return want(err == nil && list.JSON200 != nil && list.JSON200.Total == 1 && list.JSON200.Items[0].Credentials["pixel_id"] == "1234567890", err,
		"list credentials", text(fmt.Sprintf("%+v", list)))
}

func refusals(ctx context.Context, c *client.ClientWithResponses) error {
	bad, err := c.CreateStorefrontWithResponse(ctx, nil, client.StorefrontInput{StorefrontId: "Bosley"})
	if err := want(err == nil && bad.ApplicationproblemJSON422 != nil && *bad.ApplicationproblemJSON422.Field == "storefront_id", err, "an invalid code",
		text(fmt.Sprintf("%+v", bad))); err != nil {
		return err
	}
	used, err := c.DeleteStorefrontWithResponse(ctx, 5, nil)
	return want(err == nil && used.ApplicationproblemJSON409 != nil && len(*used.ApplicationproblemJSON409.UsedBy) == 2, err, "delete an entry in use",
		text(fmt.Sprintf("%+v", used)))
}

func cleanUp(ctx context.Context, c *client.ClientWithResponses) error {
	one, err := c.DeleteCredentialWithResponse(ctx, 1, nil)
	if err := want(err == nil && one.StatusCode() == http.StatusNoContent, err, "delete credential", text(fmt.Sprintf("%+v", one))); err != nil {
		return err
	}
	two, err := c.DeleteSgtmConfigWithResponse(ctx, 1, nil)
	if err := want(err == nil && two.StatusCode() == http.StatusNoContent, err, "delete sgtm", text(fmt.Sprintf("%+v", two))); err != nil {
		return err
	}
	three, err := c.DeleteStorefrontWithResponse(ctx, 5, nil)
	if err := want(err == nil && three.StatusCode() == http.StatusNoContent, err, "delete storefront", text(fmt.Sprintf("%+v", three))); err != nil {
		return err
	}
	gone, err := c.GetStorefrontWithResponse(ctx, 5)
	return want(err == nil && gone.ApplicationproblemJSON404 != nil, err, "read a deleted entry", text(fmt.Sprintf("%+v", gone)))
}

func audit(ctx context.Context, c *client.ClientWithResponses) error {
	list, err := c.ListAuditWithResponse(ctx, nil)
	return want(err == nil && list.JSON200 != nil && list.JSON200.Total == 9, err, "audit", text(fmt.Sprintf("%+v", list)))
}
