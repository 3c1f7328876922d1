package upstream_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// U12, U13, U14, U15, U16: every request is the one that an S3 client with the settings of the
// caller would send, with this library added to the user agent.
func TestSettingsCross(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*aws.Config)
		client func(*s3.Options)
		check  func(s3test.Request) (got, want string)
	}{
		{"U12, U14 user agent", nil, nil, func(r s3test.Request) (string, string) { return r.UserAgent, "processpool/0.1.0" }},
		{"U15 user agent with an app id", func(c *aws.Config) { c.AppID = "my-app" }, nil,
			func(r s3test.Request) (string, string) { return r.UserAgent, "processpool/0.1.0 app/my-app" }},
		{"U16 app id of the client", nil, func(o *s3.Options) { o.AppID = "client-app" },
			func(r s3test.Request) (string, string) { return r.UserAgent, "app/client-app" }},
		{"U13 region", func(c *aws.Config) { c.Region = "eu-central-1" }, nil,
			func(r s3test.Request) (string, string) {
				return r.Header.Get("Authorization"), "/eu-central-1/s3/aws4_request"
			}},
		{"U13 region of the client", nil, func(o *s3.Options) { o.Region = "ap-south-1" },
			func(r s3test.Request) (string, string) { return r.Header.Get("Authorization"), "/ap-south-1/s3/" }},
		{"credentials", nil, nil,
			func(r s3test.Request) (string, string) {
				return r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/"
			}},
		{"path style", nil, nil, func(r s3test.Request) (string, string) { return r.Bucket + "/" + r.Key, "b/k" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			cfg := origin.Config()
			if c.change != nil {
				c.change(&cfg)
			}
			d := harness.NewDownloaderOf(t, origin, cfg, func(config *processpool.Config) {
				if c.client != nil {
					config.ClientOptions = append(config.ClientOptions, c.client)
				}
			})
			if err := harness.Download(t, d, "k", filepath.Join(dir, "file")); err != nil {
				t.Fatal(err)
			}
			for _, r := range origin.Requests() {
				if got, want := c.check(r); !containsWords(got, want) {
					t.Errorf("%s: got %q, want %q in it", r.Method, got, want)
				}
			}
			leak.Files(t, dir, "file")
		})
	}
}

// containsWords reports whether s contains all words of want, in any order.
func containsWords(s, want string) bool {
	for word := range strings.FieldsSeq(want) {
		if !strings.Contains(s, word) {
			return false
		}
	}
	return true
}
