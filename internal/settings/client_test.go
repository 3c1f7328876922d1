package settings_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/settings"
)

// Each option of a client is treated as the same option of s3.NewFromConfig.
func TestClientOptions(t *testing.T) {
	for name, f := range optionFields {
		if name == "Retryer" {
			continue // retry.NewStandard is the SDK's own: see TestClientRetryer
		}
		t.Run(name, func(t *testing.T) {
			x := settings.ExtractClient(s3.NewFromConfig(config(), f.set), nil, false)
			wantClass(t, f.class, name, x)
			if f.class == foreign && len(x.Foreign) != 1 {
				t.Errorf("got %v, want one setting", x.Foreign.Fields())
			}
			want := settings.Extract(config(), []func(*s3.Options){f.set}, false).Settings
			if !reflect.DeepEqual(x.Settings, want) {
				t.Errorf("got %+v, want %+v", x.Settings, want)
			}
			late := settings.ExtractClient(s3.NewFromConfig(config()), []func(*s3.Options){f.set}, false)
			wantClass(t, f.class, name, late)
		})
	}
}

// Each field of the aws.Config of which a client is made is treated as by NewDownloader.
func TestClientConfig(t *testing.T) {
	for name, f := range configFields {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			f.set(&cfg)
			x := settings.ExtractClient(s3.NewFromConfig(cfg), nil, false)
			wantClass(t, f.class, strings.TrimSuffix(name, "WithOptions"), x)
		})
	}
}

// What a client that was used keeps for itself is not the caller's.
func TestClientUsed(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer refuses.Close()
	for _, mode := range []aws.RetryMode{aws.RetryModeStandard, aws.RetryModeAdaptive} {
		t.Run(string(mode), func(t *testing.T) {
			cfg := config()
			cfg.RetryMode, cfg.RetryMaxAttempts, cfg.BaseEndpoint = mode, 2, aws.String(refuses.URL)
			client := s3.NewFromConfig(cfg)
			_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k")})
			if err == nil {
				t.Fatal("got no error of a server that refuses")
			}
			x := settings.ExtractClient(client, nil, false)
			if x.Foreign != nil {
				t.Errorf("got %v, want none", x.Foreign.Err())
			}
			if x.Settings.MaxAttempts != 2 || x.Settings.Client.RetryMode != mode {
				t.Errorf("got %+v", x.Settings)
			}
		})
	}
}

func TestClientRetryer(t *testing.T) {
	quick := func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Second })
	}
	for name, c := range map[string]struct {
		set  func(*s3.Options)
		want bool // it is the caller's
	}{
		"default":         {func(*s3.Options) {}, false},
		"the SDK's":       {func(o *s3.Options) { o.Retryer = retry.NewStandard() }, false},
		"adaptive, late":  {func(o *s3.Options) { o.RetryMode = aws.RetryModeAdaptive }, false},
		"attempts, late":  {func(o *s3.Options) { o.RetryMaxAttempts = 9 }, false},
		"none":            {func(o *s3.Options) { o.Retryer = aws.NopRetryer{} }, true},
		"another backoff": {func(o *s3.Options) { o.Retryer = quick() }, true},
		"its attempts": {func(o *s3.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 9 })
		}, true},
		"more codes": {func(o *s3.Options) { o.Retryer = retry.AddWithErrorCodes(retry.NewStandard(), "Own") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			x := settings.ExtractClient(s3.NewFromConfig(config(), c.set), nil, false)
			if got := strings.Contains(x.Foreign.Fields(), "Retryer"); got != c.want {
				t.Errorf("got %q", x.Foreign.Fields())
			}
		})
	}
}

// A type of the SDK's with other options than its own is the caller's.
func TestClientSigner(t *testing.T) {
	x := settings.ExtractClient(s3.NewFromConfig(config(), func(o *s3.Options) {
		o.HTTPSignerV4 = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = false })
	}), nil, false)
	if got := x.Foreign.Fields(); got != "HTTPSignerV4" {
		t.Errorf("got %q, want HTTPSignerV4", got)
	}
}

func TestClientReadTimeout(t *testing.T) {
	cfg := config()
	cfg.HTTPClient = awshttp.NewBuildableClient().WithReadTimeout(7 * time.Second)
	x := settings.ExtractClient(s3.NewFromConfig(cfg), nil, false)
	if x.Foreign != nil || x.Settings.StallTimeout != 7*time.Second {
		t.Errorf("got StallTimeout %v, error %v, want 7s", x.Settings.StallTimeout, x.Foreign.Err())
	}
}

// Where an HTTP client cannot cross, workers have the SDK's.
func TestForeignHTTPClient(t *testing.T) {
	cfg := config()
	want := settings.Extract(cfg, nil, false).Settings.HTTP
	cfg.HTTPClient = httpClient{}
	for name, x := range map[string]settings.Extracted{
		"config": settings.Extract(cfg, nil, false),
		"client": settings.ExtractClient(s3.NewFromConfig(cfg), nil, false),
	} {
		if x.Settings.HTTP != want || want.DialTimeout == 0 {
			t.Errorf("%s: got %+v, want %+v", name, x.Settings.HTTP, want)
		}
	}
}
