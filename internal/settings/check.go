package settings

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Check returns what is wrong with the settings that every request would fail for: the endpoint,
// the region's name, the proxy.
func (s *Settings) Check() error {
	var faults []error
	if endpoint := aws.ToString(s.Client.BaseEndpoint); endpoint != "" {
		if err := checkURL(endpoint, "http", "https"); err != nil {
			faults = append(faults, fmt.Errorf("the endpoint %q %w: give it as in https://s3.example.com", endpoint, err))
		}
	}
	// The SDK refuses a region that cannot be part of a host's name, but only with each request.
	if region := s.Client.Region; strings.ContainsFunc(region, func(r rune) bool { return !inHostName(r) }) {
		faults = append(faults, fmt.Errorf("the region %q is no name of a region, such as us-east-1", region))
	}
	if s.HTTP.NoProxy {
		return errors.Join(faults...)
	}
	for _, name := range proxyVariables {
		proxy := os.Getenv(name)
		if proxy == "" {
			continue
		}
		if err := checkURL(withScheme(proxy), "http", "https", "socks5", "socks5h"); err != nil {
			faults = append(faults, fmt.Errorf("%s %w: give a URL such as http://proxy.example.com:3128", name, err))
		}
	}
	return errors.Join(faults...)
}

// proxyVariables are the environment variables that net/http reads.
var proxyVariables = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"}

// withScheme returns the URL of a proxy. net/http takes one without a scheme for one over HTTP.
func withScheme(proxy string) string {
	if strings.Contains(proxy, "://") {
		return proxy
	}
	return "http://" + proxy
}

// inHostName reports whether a character may be in the name of a host, or is one that names of
// regions of other servers than Amazon's have.
func inHostName(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
}

// checkURL refuses what is not a URL of a host with one of the schemes. Its error does not repeat
// the URL, which may have a password.
func checkURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	var wrong *url.Error
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("is not a URL (%w)", wrong.Err)
	case err != nil:
		return fmt.Errorf("is not a URL (%w)", err)
	case u.Scheme == "" || u.Host == "":
		return errors.New("has no scheme or no host")
	}
	for _, scheme := range schemes {
		if strings.EqualFold(u.Scheme, scheme) {
			return nil
		}
	}
	return fmt.Errorf("has the scheme %q", u.Scheme)
}
