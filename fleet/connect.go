package fleet

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// Server says where a NATS server is, and who is asking.
type Server struct {
	URL   string // such as nats://host:4222 or tls://host:4222; several are separated by commas
	Creds string // a file with a user's JWT and seed; "": none
	CA    string // a file with the root certificates, in PEM; "": the system's
}

// Connect connects to a server. The first connection must succeed; later the client waits for a server
// that is away, for as long as it takes.
func Connect(s Server, name string) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name(name), nats.MaxReconnects(-1), nats.ReconnectWait(time.Second / 4), nats.ReconnectJitter(time.Second/4, time.Second),
		nats.PingInterval(20 * time.Second), nats.Timeout(10 * time.Second), nats.IgnoreAuthErrorAbort(),
	}
	if s.Creds != "" {
		if _, err := os.Stat(s.Creds); err != nil {
			return nil, fmt.Errorf("--creds: %w", err)
		}
		options = append(options, nats.UserCredentials(s.Creds))
	}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-ca: %s holds no PEM certificate", s.CA)
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	}
	nc, err := nats.Connect(s.URL, options...)
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return nil, fmt.Errorf("the NATS server at %s refuses the credentials: give those of an account with JetStream with --creds FILE (%w)", plainURL(s.URL), err)
	case err != nil:
		return nil, fmt.Errorf("connect to the NATS server at %s: %w", plainURL(s.URL), err)
	}
	return nc, nil
}

// plainURL returns a URL without its password.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the given URL"
	}
	return u.Redacted()
}
