package outbound

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"strconv"
	"strings"
	"time"

	"relay/internal/relay"
)

// ready returns the request, completed by its Auth. If nothing can be sent, it returns a response that says why.
func (c *Client) ready(ctx context.Context, r relay.Request) (relay.Request, lease, *relay.Response) {
	switch r.Auth.Kind {
	case relay.AuthNone:
		return r, lease{}, nil
	case relay.AuthStandardWebhooks:
		signed, err := sign(r, c.now())
		if err != nil {
			return r, lease{}, &relay.Response{TransportError: relay.TransportCredential}
		}
		return signed, lease{}, nil
	}
	got, failed := c.token(ctx, r)
	if failed != nil {
		return r, lease{}, failed
	}
	return withHeaders(r, map[string]string{"Authorization": "Bearer " + got.value}), got, nil
}

// withHeaders returns a copy of a request with further headers. The caller's request is recorded and shown without them.
func withHeaders(r relay.Request, added map[string]string) relay.Request {
	r.Header = maps.Clone(r.Header)
	if r.Header == nil {
		r.Header = map[string]string{}
	}
	maps.Copy(r.Header, added)
	return r
}

// sign adds the time and, for each secret, the signature of Standard Webhooks over id, time and the bytes of the body.
func sign(r relay.Request, now time.Time) (relay.Request, error) {
	at := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, secret := range r.AuthSecrets() {
		key, err := relay.WebhookKey(secret)
		if err != nil {
			return r, err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(r.Header[relay.HeaderWebhookID] + "." + at + "."))
		mac.Write(r.Body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	added := map[string]string{relay.HeaderWebhookTimestamp: at}
	if len(signatures) > 0 {
		added[relay.HeaderWebhookSignature] = strings.Join(signatures, " ")
	}
	return withHeaders(r, added), nil
}
