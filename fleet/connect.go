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
	options = append(options, endRefused()...)
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
	case isRefused(err):
		return nil, fmt.Errorf("the NATS server at %s refuses the credentials: give those of an account with JetStream with --creds FILE (%w)", plainURL(s.URL), err)
	case err != nil:
		return nil, fmt.Errorf("connect to the NATS server at %s: %w", plainURL(s.URL), err)
	}
	return nc, nil
}

// maxRefusals is how often in a row a server may refuse who was connected to it, before the connection
// is closed: a cluster that restarts may do so for a while.
const maxRefusals = 10

// endRefused returns options that close a connection which is refused again and again.
func endRefused() []nats.Option {
	n := 0 // handlers are called one after the other
	return []nats.Option{
		nats.ErrorHandler(func(nc *nats.Conn, _ *nats.Subscription, err error) {
			if isRefused(err) {
				n++
			}
			if n >= maxRefusals {
				nc.Close()
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { n = 0 }),
	}
}

func isRefused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}

// errRefused is the error of a connection that was closed so.
var errRefused = errors.New("the NATS server does not take the credentials any more: if it has lost its disk, " +
	"plan again with what it takes now; what is there already is skipped")

// plainURL returns a URL without its password.
func plainURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the given URL"
	}
	return u.Redacted()
}
