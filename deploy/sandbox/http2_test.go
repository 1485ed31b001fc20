package sandbox_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
)

// serveTLS returns a sandbox over HTTPS, with a client that trusts it.
func serveTLS(t *testing.T) (*sandbox.Sandbox, string, *http.Client) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sandbox.pem")
	pair, err := sandbox.Certificate(file)
	require.NoError(t, err)
	again, err := sandbox.Certificate(file)
	require.NoError(t, err)
	require.Equal(t, pair.Certificate, again.Certificate, "a restart keeps the certificate")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := sandbox.New(sandbox.Options{})
	server := &http.Server{Handler: s, TLSNextProto: sandbox.ServeHTTP2(), ReadHeaderTimeout: time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(text))
	client := &http.Client{Timeout: 5 * time.Second,
		Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(client.CloseIdleConnections)
	return s, "https://" + listener.Addr().String(), client
}

func TestHTTP2RespondsAndRecords(t *testing.T) {
	t.Parallel()
	s, url, client := serveTLS(t)
	require.NoError(t, s.Answer(sandbox.Rule{Path: "/x", Then: sandbox.Answer{Status: 503, Body: "busy", Headers: map[string]string{"Retry-After": "1"}}}))
	response, err := client.Post(url+"/x?a=b", "application/json", strings.NewReader(`{"event_id":"e"}`))
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, 2, response.ProtoMajor)
	require.Equal(t, 503, response.StatusCode)
	require.Equal(t, "busy", string(body))
	require.Equal(t, "1", response.Header.Get("Retry-After"))
	got := s.Requests("", 0)
	require.Len(t, got, 1)
	require.Equal(t, "e", got[0].Key)
	require.Equal(t, "a=b", got[0].Query)
}

// TestNetHTTPRepeatsARefusedRequest shows that net/http sends a refused request again by itself.
func TestNetHTTPRepeatsARefusedRequest(t *testing.T) {
	t.Parallel()
	for _, action := range []string{sandbox.ActionGoAway, sandbox.ActionRefuse} {
		s, url, client := serveTLS(t)
		denial := sandbox.Answer{Action: action}
		require.NoError(t, s.Answer(sandbox.Rule{Path: "/x", Answers: []sandbox.Answer{denial, denial}}))
		response, err := client.Post(url+"/x", "application/json", strings.NewReader(`{"event_id":"e"}`))
		require.NoError(t, err, action)
		require.NoError(t, response.Body.Close())
		arrivals := s.Arrivals()
		require.Len(t, arrivals, 1)
		require.Equal(t, 3, arrivals[0].Count, action)
		require.Equal(t, 1, arrivals[0].Taken, action)
	}
}

func TestSwitchingProtocolsKeepsTheConnectionOpen(t *testing.T) {
	t.Parallel()
	client := serve(t, sandbox.Options{})
	require.NoError(t, client.Answer(t.Context(), sandbox.Rule{Path: "/", Then: sandbox.Answer{Action: sandbox.ActionSwitch}}))
	conn, err := net.Dial("tcp", strings.TrimPrefix(client.BaseURL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 2\r\n\r\n{}")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "101 Switching Protocols")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	_, err = io.ReadAll(reader)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the connection stays open")
}
