package settings

import (
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// ExtractClient is Extract for the settings of a client, with optFns applied to them. What the SDK
// itself has put into its options is not foreign, whether the client was used before or not.
func ExtractClient(client *s3.Client, optFns []func(*s3.Options), caGiven bool) Extracted {
	own := client.Options()
	before := defaults(own, own.RetryMode)
	after := own.Copy()
	for _, fn := range optFns {
		fn(&after)
	}
	foreign := foreignFields(after, unlike, before)
	if !isDefaultRetryer(own, after) {
		foreign = append(foreign, cannotCross("Retryer", useMaxAttempts))
	}
	return extracted(after, foreign, clientReadTimeout(before, after), caGiven)
}

// defaults returns the options of a client that has the plain values of o, and no code but the SDK's.
func defaults(o s3.Options, mode aws.RetryMode) s3.Options {
	o = o.Copy()
	signer := o.HTTPSignerV4
	o.APIOptions, o.Retryer, o.HTTPClient, o.RetryMode = nil, nil, nil, mode
	//lint:ignore SA1019 A caller may still set it.
	o.EndpointResolver = nil
	o.EndpointResolverV2, o.ExpressCredentials, o.HTTPSignerV4 = nil, nil, nil
	o.AuthSchemeResolver, o.AuthSchemes = nil, nil
	o.TracerProvider, o.MeterProvider = nil, nil
	usual := s3.New(o).Options()
	o.HTTPSignerV4 = signer // the SDK's schemes have it, whoever made it
	usual.AuthSchemes = s3.New(o).Options().AuthSchemes
	return usual
}

// isDefaultRetryer reports whether a client's retryer is the SDK's, with no more changed than
// Settings.MaxAttempts tells. RetryMode may have been set when there was a retryer already.
func isDefaultRetryer(own, after s3.Options) bool {
	for _, mode := range []aws.RetryMode{aws.RetryModeStandard, aws.RetryModeAdaptive} {
		standard := defaults(own, mode).Retryer
		if unlike("Retryer", standard, after.Retryer) {
			continue
		}
		if own.RetryMaxAttempts != 0 || standard.MaxAttempts() == after.Retryer.MaxAttempts() {
			return true
		}
	}
	return false
}

// clientReadTimeout returns the read timeout that the caller has set, or 0: one that is the SDK's own
// for S3 was not set by the caller.
func clientReadTimeout(before, after s3.Options) time.Duration {
	client, ok := after.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return 0
	}
	timeout, _ := client.GetReadTimeout()
	if usual, _ := before.HTTPClient.(*awshttp.BuildableClient).GetReadTimeout(); timeout == usual {
		return 0
	}
	return timeout
}

// unlike reports whether an option is other than the SDK's own. Two of these have references to
// their clients: there the type, which the SDK does not export, tells.
func unlike(field string, a, b any) bool {
	switch field {
	case "ExpressCredentials", "AuthSchemeResolver":
		return reflect.TypeOf(a) != reflect.TypeOf(b)
	}
	return !alike(reflect.ValueOf(a), reflect.ValueOf(b), 0)
}

// state are the fields of the SDK's types that change with use, or follow plain values that cross
// elsewhere.
var state = map[string]bool{
	"retry.StandardOptions.MaxAttempts":     true, // see isDefaultRetryer
	"retry.AdaptiveMode.rateLimit":          true,
	"ratelimit.TokenBucket.remainingTokens": true,
	"v4.Signer.keyDerivator":                true,
	"v4.SignerOptions.Logger":               true,
	"v4.SignerOptions.LogSigning":           true,
}

// maxDepth is deeper than any option of the SDK's is nested.
const maxDepth = 32

// alike compares two values as reflect.DeepEqual does, but for the fields in state and for functions,
// which are alike if their code is. It does not follow references for ever.
func alike(a, b reflect.Value, depth int) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() || depth > maxDepth {
		return a.IsValid() == b.IsValid() && !a.IsValid()
	}
	switch a.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return a.Pointer() == b.Pointer()
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return a.Kind() == reflect.Pointer && a.Pointer() == b.Pointer() || alike(a.Elem(), b.Elem(), depth+1)
	case reflect.Struct:
		if a.Type().PkgPath() == "sync" || a.Type().PkgPath() == "sync/atomic" {
			return true
		}
		for i := range a.NumField() {
			if !state[a.Type().String()+"."+a.Type().Field(i).Name] && !alike(a.Field(i), b.Field(i), depth+1) {
				return false
			}
		}
		return true
	case reflect.Slice, reflect.Array:
		for i := 0; a.Len() == b.Len() && i < a.Len(); i++ {
			if !alike(a.Index(i), b.Index(i), depth+1) {
				return false
			}
		}
		return a.Len() == b.Len()
	case reflect.Map:
		for _, key := range a.MapKeys() {
			if !alike(a.MapIndex(key), b.MapIndex(key), depth+1) {
				return false
			}
		}
		return a.Len() == b.Len()
	}
	return a.Equal(b)
}
