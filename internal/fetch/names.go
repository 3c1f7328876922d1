package fetch

import (
	"context"
	"net/netip"
	"sync"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/spread"
)

// remember returns a lookup that knows which names it has resolved. An error for one of these is a
// failure.NameLost: resolvers report for a moment that a name does not exist, although it does.
func remember(lookup spread.Lookup) spread.Lookup {
	var resolved sync.Map
	return func(ctx context.Context, network, host string) ([]netip.Addr, error) {
		addrs, err := lookup(ctx, network, host)
		if err == nil {
			resolved.Store(host, true)
		} else if _, known := resolved.Load(host); known {
			err = &failure.NameLost{Err: err}
		}
		return addrs, err
	}
}
