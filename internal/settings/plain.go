package settings

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Exposed reports whether requests cross a network without encryption: the endpoint is plain HTTP,
// and not on this machine.
func (s *Settings) Exposed() bool {
	endpoint := aws.ToString(s.Client.BaseEndpoint)
	if endpoint == "" {
		return s.Client.DisableHTTPS
	}
	u, err := url.Parse(endpoint)
	return err == nil && Exposed(u)
}

// Exposed reports whether a request to u crosses a network without encryption.
func Exposed(u *url.URL) bool { return strings.EqualFold(u.Scheme, "http") && !loopback(u.Hostname()) }

// loopback reports whether a host is this machine: an address, or a name that no resolver may tell
// another address of (RFC 6761, section 6.3).
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
