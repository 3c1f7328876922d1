package settings

import (
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Ports returns the TCP ports to which a worker makes connections: the endpoint's and those of the
// proxies. S3 never sends a client to another port: the SDK follows no redirect, and another
// region's endpoint differs in the host's name.
func (s *Settings) Ports() []uint16 {
	endpoint := aws.ToString(s.Client.BaseEndpoint)
	switch {
	case endpoint == "" && s.Client.DisableHTTPS:
		endpoint = "http:"
	case endpoint == "":
		endpoint = "https:"
	}
	ports := []uint16{portOf(endpoint)}
	if !s.HTTP.NoProxy {
		for _, name := range proxyVariables {
			if proxy := os.Getenv(name); proxy != "" {
				ports = append(ports, portOf(withScheme(proxy)))
			}
		}
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	return slices.DeleteFunc(ports, func(p uint16) bool { return p == 0 })
}

// portOf returns the port of a URL, or 0 if it has none that Check would accept.
func portOf(text string) uint16 {
	u, err := url.Parse(text)
	if err != nil {
		return 0
	}
	if port := u.Port(); port != "" {
		n, _ := strconv.ParseUint(port, 10, 16)
		return uint16(n)
	}
	switch strings.ToLower(u.Scheme) {
	case "http":
		return 80
	case "https":
		return 443
	case "socks5", "socks5h":
		return 1080
	}
	return 0
}
