package fetch

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/s3processpool/processpool/internal/lowat"
)

// secureDialer returns what http.Transport would do by itself with these settings (DialTLSContext), but
// that connections read ahead. A timeout of 0 is none.
func secureDialer(dial lowat.Dial, config *tls.Config, timeout time.Duration) lowat.Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := config.Clone()
		if own.ServerName == "" {
			if own.ServerName, _, err = net.SplitHostPort(address); err != nil {
				own.ServerName = address
			}
		}
		secure := tls.Client(conn, own)
		lowat.ReadAhead(secure)
		within, cancel := ctx, func() {}
		if timeout > 0 {
			within, cancel = context.WithTimeout(ctx, timeout)
		}
		defer cancel()
		if err := secure.HandshakeContext(within); err != nil {
			conn.Close()
			if within.Err() != nil && ctx.Err() == nil {
				err = handshakeTimeout{timeout}
			}
			return nil, err
		}
		return secure, nil
	}
}

// handshakeTimeout is a net.Error.
type handshakeTimeout struct{ after time.Duration }

func (e handshakeTimeout) Error() string { return "no TLS handshake within " + e.after.String() }
func (handshakeTimeout) Timeout() bool   { return true }
func (handshakeTimeout) Temporary() bool { return true }
