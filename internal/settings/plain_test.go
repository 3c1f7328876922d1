package settings

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestExposed(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"http://s3.example.com": true, "HTTP://10.0.0.1:9000": true, "http://[fe80::1%25eth0]:80": true,
		"http://localhost.example.com": true, "http://0.0.0.0": true,
		"http://localhost": false, "http://LocalHost.:9000": false, "http://bucket.localhost": false,
		"http://127.0.0.1:1": false, "http://127.255.0.9": false, "http://[::1]:9000": false,
		"http://[::ffff:127.0.0.1]": false, "https://s3.example.com": false,
	} {
		s := Settings{Client: Client{BaseEndpoint: aws.String(endpoint)}}
		if got := s.Exposed(); got != want {
			t.Errorf("%s: got %v, want %v", endpoint, got, want)
		}
	}
	for _, disabled := range []bool{false, true} {
		s := Settings{Client: Client{DisableHTTPS: disabled}}
		if got := s.Exposed(); got != disabled {
			t.Errorf("no endpoint, DisableHTTPS %v: got %v", disabled, got)
		}
	}
}
