package settings

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestCheck(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		t.Setenv(name, "")
	}
	for _, c := range []struct {
		endpoint, region, proxy string
		want                    string // "": nothing is wrong
	}{
		{"", "us-east-1", "", ""},
		{"https://s3.example.com", "eu-central-1", "http://proxy:3128", ""},
		{"http://127.0.0.1:9000/base", "us-east-1", "proxy:3128", ""},
		{"http://[::1]:9000", "local_region.1", "socks5://user:secret@proxy:1080", ""},
		{"127.0.0.1:9100", "us-east-1", "", "the endpoint \"127.0.0.1:9100\" is not a URL"},
		{"localhost:9100", "us-east-1", "", "the endpoint \"localhost:9100\" has no scheme or no host"},
		{"s3.example.com", "us-east-1", "", "has no scheme or no host"},
		{"://x", "us-east-1", "", "is not a URL"},
		{"ftp://example.com", "us-east-1", "", "has the scheme \"ftp\""},
		{"https://", "us-east-1", "", "has no scheme or no host"},
		{"", "us east 1", "", "the region \"us east 1\""},
		{"", "us-east-1/", "", "the region \"us-east-1/\""},
		{"", "us-east-1", "://user:secret@x", "HTTPS_PROXY is not a URL"},
		{"", "us-east-1", "ftp://proxy", "HTTPS_PROXY has the scheme \"ftp\""},
	} {
		t.Setenv("HTTPS_PROXY", c.proxy)
		s := Settings{}
		s.Client.Region = c.region
		if c.endpoint != "" {
			s.Client.BaseEndpoint = aws.String(c.endpoint)
		}
		err := s.Check()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: got %v, want nil", c, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: got %v, want %q", c, err, c.want)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%v shows the password", err)
		}
	}
}
