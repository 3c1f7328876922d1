//lint:file-ignore SA1019 The tests cover deprecated fields, too.

package settings_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyauth "github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/auth/bearer"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	"github.com/aws/smithy-go/tracing"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/settings"
)

// class is the treatment of a field that a caller has set.
type class string

const (
	plain   class = "plain"      // crosses as a value
	foreign class = "foreign"    // cannot cross; an error names it
	idle    class = "no bearing" // does not affect a download, or each worker sets it itself
)

// field describes an exported field of T: its class, and how a caller sets it.
type field[T any] struct {
	class class
	set   func(*T)
}

// classified fails the test for each field of T that no list names, which a new version of the SDK
// or of Go may add, and for each listed field that T does not have.
func classified[T any](t *testing.T, fields map[string]field[T]) {
	t.Helper()
	typ, known := reflect.TypeFor[T](), map[string]bool{}
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			known[f.Name] = true
			if _, ok := fields[f.Name]; !ok {
				t.Errorf("%v.%s is new: decide whether it crosses to a worker", typ, f.Name)
			}
		}
	}
	for name := range fields {
		if !known[name] {
			t.Errorf("%v.%s no longer exists", typ, name)
		}
	}
}

// config returns a config similar to that of config.LoadDefaultConfig.
func config() aws.Config {
	return aws.Config{
		Region:                     "us-east-1",
		Credentials:                credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		HTTPClient:                 awshttp.NewBuildableClient(),
		RetryMode:                  aws.RetryModeStandard,
		DefaultsMode:               aws.DefaultsModeLegacy,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

// extract returns the settings after a round trip through JSON.
func extract(t *testing.T, cfg aws.Config, optFns ...func(*s3.Options)) settings.Extracted {
	t.Helper()
	x := settings.Extract(cfg, optFns, false)
	data, err := json.Marshal(x.Settings)
	if err != nil {
		t.Fatal(err)
	}
	var crossed settings.Settings
	if err := json.Unmarshal(data, &crossed); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(crossed, x.Settings) {
		t.Errorf("got %+v over JSON, want %+v", crossed, x.Settings)
	}
	x.Settings = crossed
	return x
}

// wantClass compares the effect of a set field with its class.
func wantClass(t *testing.T, want class, name string, x settings.Extracted) {
	t.Helper()
	before := extract(t, config())
	if before.Foreign != nil {
		t.Fatalf("the test is wrong: %v", before.Foreign)
	}
	named := x.Foreign != nil && strings.Contains(x.Foreign.Err().Error(), name)
	moved := !reflect.DeepEqual(before.Settings, x.Settings)
	switch {
	case want == foreign && !named:
		t.Errorf("got error %v, want one that names %s", x.Foreign, name)
	case want != foreign && x.Foreign != nil:
		t.Errorf("got error %v, want none", x.Foreign)
	case want == plain && !moved:
		t.Errorf("%s does not cross", name)
	case want == idle && moved:
		t.Errorf("%s has an effect: got %+v, want %+v", name, x.Settings, before.Settings)
	}
}

type (
	interceptor struct {
		smithyhttp.BeforeTransmitInterceptor
	}
	resolver   struct{ s3.EndpointResolverV2 }
	legacy     struct{ s3.EndpointResolver }
	express    struct{ s3.ExpressCredentialsProvider }
	signer     struct{ s3.HTTPSignerV4 }
	schemes    struct{ s3.AuthSchemeResolver }
	scheme     struct{ smithyhttp.AuthScheme }
	tracer     struct{ tracing.TracerProvider }
	meter      struct{ metrics.MeterProvider }
	httpClient struct{}
	token      struct{ bearer.TokenProvider }
	idempotent struct{ s3.IdempotencyTokenProvider }
)

func (httpClient) Do(*http.Request) (*http.Response, error) { return nil, errors.New("not called") }
func (scheme) SchemeID() string                             { return "test" }
func (scheme) IdentityResolver(smithyauth.IdentityResolverOptions) smithyauth.IdentityResolver {
	return nil
}

func noMiddleware(*middleware.Stack) error { return nil }

var optionFields = map[string]field[s3.Options]{
	"Region":                         {plain, func(o *s3.Options) { o.Region = "eu-west-1" }},
	"BaseEndpoint":                   {plain, func(o *s3.Options) { o.BaseEndpoint = aws.String("http://localhost") }},
	"AppID":                          {plain, func(o *s3.Options) { o.AppID = "app" }},
	"ClientLogMode":                  {plain, func(o *s3.Options) { o.ClientLogMode = aws.LogRequest }},
	"Credentials":                    {plain, func(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} }},
	"DisableClockSkewCorrection":     {plain, func(o *s3.Options) { o.DisableClockSkewCorrection = true }},
	"DisableMultiRegionAccessPoints": {plain, func(o *s3.Options) { o.DisableMultiRegionAccessPoints = true }},
	"DisableS3ExpressSessionAuth":    {plain, func(o *s3.Options) { o.DisableS3ExpressSessionAuth = aws.Bool(true) }},
	"EndpointOptions":                {plain, func(o *s3.Options) { o.EndpointOptions.DisableHTTPS = true }},
	"RetryMaxAttempts":               {plain, func(o *s3.Options) { o.RetryMaxAttempts = 9 }},
	"RetryMode":                      {plain, func(o *s3.Options) { o.RetryMode = aws.RetryModeAdaptive }},
	"UseARNRegion":                   {plain, func(o *s3.Options) { o.UseARNRegion = true }},
	"UseAccelerate":                  {plain, func(o *s3.Options) { o.UseAccelerate = true }},
	"UseDualstack":                   {plain, func(o *s3.Options) { o.UseDualstack = true }},
	"UsePathStyle":                   {plain, func(o *s3.Options) { o.UsePathStyle = true }},
	"AuthSchemePreference":           {plain, func(o *s3.Options) { o.AuthSchemePreference = []string{"sigv4a"} }},

	"APIOptions":         {foreign, func(o *s3.Options) { o.APIOptions = append(o.APIOptions, noMiddleware) }},
	"Interceptors":       {foreign, func(o *s3.Options) { o.Interceptors.AddBeforeTransmit(interceptor{}) }},
	"EndpointResolver":   {foreign, func(o *s3.Options) { o.EndpointResolver = legacy{} }},
	"EndpointResolverV2": {foreign, func(o *s3.Options) { o.EndpointResolverV2 = resolver{} }},
	"ExpressCredentials": {foreign, func(o *s3.Options) { o.ExpressCredentials = express{} }},
	"HTTPClient":         {foreign, func(o *s3.Options) { o.HTTPClient = httpClient{} }},
	"HTTPSignerV4":       {foreign, func(o *s3.Options) { o.HTTPSignerV4 = signer{} }},
	"AuthSchemeResolver": {foreign, func(o *s3.Options) { o.AuthSchemeResolver = schemes{} }},
	"AuthSchemes":        {foreign, func(o *s3.Options) { o.AuthSchemes = []smithyhttp.AuthScheme{scheme{}} }},
	"TracerProvider":     {foreign, func(o *s3.Options) { o.TracerProvider = tracer{} }},
	"MeterProvider":      {foreign, func(o *s3.Options) { o.MeterProvider = meter{} }},
	"Retryer":            {foreign, func(o *s3.Options) { o.Retryer = retry.NewStandard() }},

	// Uploads.
	"ContinueHeaderThresholdBytes": {idle, func(o *s3.Options) { o.ContinueHeaderThresholdBytes = 5 }},
	"IdempotencyTokenProvider":     {idle, func(o *s3.Options) { o.IdempotencyTokenProvider = idempotent{} }},
	"RequestChecksumCalculation": {idle, func(o *s3.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	}},
	// This library verifies downloads itself.
	"ResponseChecksumValidation": {idle, func(o *s3.Options) {
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}},
	"DisableLogOutputChecksumValidationSkipped": {idle, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true }},
	// Read before the caller's functions run: see TestDefaultsMode.
	"DefaultsMode":       {idle, func(o *s3.Options) { o.DefaultsMode = aws.DefaultsModeInRegion }},
	"RuntimeEnvironment": {idle, func(o *s3.Options) { o.RuntimeEnvironment.Region = "eu-west-1" }},
	"Logger":             {idle, func(o *s3.Options) { o.Logger = logging.Nop{} }},
}

func TestOptions(t *testing.T) {
	classified(t, optionFields)
	for name, f := range optionFields {
		t.Run(name, func(t *testing.T) {
			x := extract(t, config(), f.set)
			wantClass(t, f.class, name, x)
			if f.class != plain {
				return
			}
			var want, got s3.Options
			f.set(&want)
			x.Settings.Client.Apply(&got)
			switch name {
			case "Credentials": // the pool supplies them, or the requests are not signed
				if !x.Settings.Client.Anonymous || x.Credentials != nil {
					t.Errorf("got %+v", x)
				}
				return
			case "RetryMaxAttempts": // the maximum of this library's own attempts
				if x.Settings.MaxAttempts != 9 {
					t.Errorf("got MaxAttempts %d, want 9", x.Settings.MaxAttempts)
				}
				return
			case "UseDualstack": // the older name
				if got.EndpointOptions.UseDualStackEndpoint != aws.DualStackEndpointStateEnabled {
					t.Error("dual stack is not on")
				}
				return
			}
			value := func(o s3.Options) any { return reflect.ValueOf(o).FieldByName(name).Interface() }
			if !reflect.DeepEqual(value(got), value(want)) {
				t.Errorf("got %+v, want %+v", value(got), value(want))
			}
		})
	}
}

func TestEndpointOptions(t *testing.T) {
	fields := map[string]field[s3.EndpointResolverOptions]{
		"DisableHTTPS":         {plain, func(o *s3.EndpointResolverOptions) { o.DisableHTTPS = true }},
		"UseDualStackEndpoint": {plain, func(o *s3.EndpointResolverOptions) { o.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled }},
		"UseFIPSEndpoint":      {plain, func(o *s3.EndpointResolverOptions) { o.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled }},
		// Used by the older resolver, which is foreign.
		"Logger":         {idle, func(o *s3.EndpointResolverOptions) { o.Logger = logging.Nop{} }},
		"LogDeprecated":  {idle, func(o *s3.EndpointResolverOptions) { o.LogDeprecated = true }},
		"ResolvedRegion": {idle, func(o *s3.EndpointResolverOptions) { o.ResolvedRegion = "us-east-1" }},
	}
	classified(t, fields)
	for name, f := range fields {
		t.Run(name, func(t *testing.T) {
			x := extract(t, config(), func(o *s3.Options) { f.set(&o.EndpointOptions) })
			wantClass(t, f.class, name, x)
			var got, want s3.Options
			x.Settings.Client.Apply(&got)
			if f.class == plain {
				f.set(&want.EndpointOptions)
			}
			if got.EndpointOptions != want.EndpointOptions {
				t.Errorf("got %+v, want %+v", got.EndpointOptions, want.EndpointOptions)
			}
		})
	}
}

var configFields = map[string]field[aws.Config]{
	"Region":                     {plain, func(c *aws.Config) { c.Region = "eu-west-1" }},
	"Credentials":                {plain, func(c *aws.Config) { c.Credentials = nil }},
	"RetryMaxAttempts":           {plain, func(c *aws.Config) { c.RetryMaxAttempts = 9 }},
	"RetryMode":                  {plain, func(c *aws.Config) { c.RetryMode = aws.RetryModeAdaptive }},
	"ClientLogMode":              {plain, func(c *aws.Config) { c.ClientLogMode = aws.LogRetries }},
	"DefaultsMode":               {plain, func(c *aws.Config) { c.DefaultsMode = aws.DefaultsModeInRegion }},
	"AppID":                      {plain, func(c *aws.Config) { c.AppID = "app" }},
	"BaseEndpoint":               {plain, func(c *aws.Config) { c.BaseEndpoint = aws.String("http://localhost") }},
	"DisableClockSkewCorrection": {plain, func(c *aws.Config) { c.DisableClockSkewCorrection = true }},
	"AuthSchemePreference":       {plain, func(c *aws.Config) { c.AuthSchemePreference = []string{"sigv4a"} }},
	"ConfigSources":              {plain, func(c *aws.Config) { c.ConfigSources = []any{arnRegion{}} }},
	"ServiceOptions": {plain, func(c *aws.Config) {
		c.ServiceOptions = append(c.ServiceOptions, func(_ string, o any) { o.(*s3.Options).UsePathStyle = true })
	}},

	"HTTPClient":       {foreign, func(c *aws.Config) { c.HTTPClient = httpClient{} }},
	"EndpointResolver": {foreign, func(c *aws.Config) { c.EndpointResolver = aws.EndpointResolverFunc(noEndpoint) }},
	"EndpointResolverWithOptions": {foreign, func(c *aws.Config) {
		c.EndpointResolverWithOptions = aws.EndpointResolverWithOptionsFunc(noEndpointWithOptions)
	}},
	"Retryer":      {foreign, func(c *aws.Config) { c.Retryer = func() aws.Retryer { return aws.NopRetryer{} } }},
	"APIOptions":   {foreign, func(c *aws.Config) { c.APIOptions = append(c.APIOptions, noMiddleware) }},
	"Interceptors": {foreign, func(c *aws.Config) { c.Interceptors.AddBeforeTransmit(interceptor{}) }},

	// S3 has no bearer tokens.
	"BearerAuthTokenProvider": {idle, func(c *aws.Config) { c.BearerAuthTokenProvider = token{} }},
	"AccountIDEndpointMode":   {idle, func(c *aws.Config) { c.AccountIDEndpointMode = aws.AccountIDEndpointModeDisabled }},
	// Used only if DefaultsMode is auto.
	"RuntimeEnvironment": {idle, func(c *aws.Config) { c.RuntimeEnvironment.Region = "eu-west-1" }},
	// Used for the files that hold credentials and tokens.
	"RestrictFilePermissions": {idle, func(c *aws.Config) { c.RestrictFilePermissions = "any" }},
	"Logger":                  {idle, func(c *aws.Config) { c.Logger = logging.Nop{} }},
	// Used for requests with a body.
	"DisableRequestCompression":   {idle, func(c *aws.Config) { c.DisableRequestCompression = true }},
	"RequestMinCompressSizeBytes": {idle, func(c *aws.Config) { c.RequestMinCompressSizeBytes = 5 }},
	"RequestChecksumCalculation":  {idle, func(c *aws.Config) { c.RequestChecksumCalculation = 0 }},
	"ResponseChecksumValidation":  {idle, func(c *aws.Config) { c.ResponseChecksumValidation = 0 }},
}

// arnRegion is a configuration source, like the shared configuration file.
type arnRegion struct{}

func (arnRegion) GetS3UseARNRegion(context.Context) (value, found bool, err error) {
	return true, true, nil
}

func noEndpoint(_, _ string) (aws.Endpoint, error) {
	return aws.Endpoint{}, errors.New("not called")
}

func noEndpointWithOptions(_, _ string, _ ...any) (aws.Endpoint, error) { return noEndpoint("", "") }

func TestConfig(t *testing.T) {
	classified(t, configFields)
	for name, f := range configFields {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			f.set(&cfg)
			// s3.Options.EndpointResolver is derived from both.
			wantClass(t, f.class, strings.TrimSuffix(name, "WithOptions"), extract(t, cfg))
		})
	}
}
