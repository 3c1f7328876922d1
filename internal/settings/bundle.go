package settings

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// EnvironmentCABundle reads the file that AWS_CA_BUNDLE names, which must have at most limit bytes.
// It returns nil if the variable is not set.
func EnvironmentCABundle(limit int) ([]byte, error) {
	name := os.Getenv("AWS_CA_BUNDLE")
	if name == "" {
		return nil, nil
	}
	bundle, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	if len(bundle) > limit {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s has %d bytes: at most %d are passed to workers", name, len(bundle), limit)
	}
	if !HoldsCertificate(bundle) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s holds no PEM certificate", name)
	}
	return bundle, nil
}

// HoldsCertificate reports whether a bundle has a certificate. It stops at the first: a system's
// bundle has hundreds.
func HoldsCertificate(bundle []byte) bool {
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			return true
		}
	}
	return false
}

// PlainHTTP reports whether no request needs a root certificate: the endpoint is plain HTTP, and
// there is no proxy.
func (s *Settings) PlainHTTP() bool {
	proxied := os.Getenv("HTTP_PROXY") != "" || os.Getenv("http_proxy") != ""
	return strings.HasPrefix(aws.ToString(s.Client.BaseEndpoint), "http://") && !proxied
}
