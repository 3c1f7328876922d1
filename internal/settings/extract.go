package settings

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Extracted is the result of Extract.
type Extracted struct {
	Settings    Settings
	Credentials aws.CredentialsProvider // nil: requests are not signed
	// Foreign joins one error for each setting that cannot cross a process boundary.
	Foreign error
}

// Extract returns the settings of the client that s3.NewFromConfig would create from cfg and
// optFns. If caGiven is true, the caller has given the root certificates in another way, and those
// of an HTTP client need not cross.
func Extract(cfg aws.Config, optFns []func(*s3.Options), caGiven bool) Extracted {
	before, after := resolve(cfg, optFns)
	x := Extracted{Settings: Settings{Client: fromOptions(after)}}
	if !x.Settings.Client.Anonymous {
		x.Credentials = after.Credentials
	}
	x.Settings.MaxAttempts = after.RetryMaxAttempts

	var faults []error
	for field, why := range foreignFields(cfg, before, after) {
		faults = append(faults, fmt.Errorf("%s cannot cross to a worker process: %s", field, why))
	}
	client, own := clientOf(after)
	if own != nil {
		faults = append(faults, own)
	} else {
		var err error
		x.Settings.HTTP, err = readHTTP(client, caGiven)
		faults = append(faults, err)
		if timeout, set := readTimeout(cfg, before, after); set {
			x.Settings.StallTimeout = timeout
		}
	}
	x.Foreign = errors.Join(faults...)
	return x
}

// resolve returns the client's options before and after the caller's functions ran. A difference
// between them was set by the caller.
func resolve(cfg aws.Config, optFns []func(*s3.Options)) (before, after s3.Options) {
	serviceOptions := cfg.ServiceOptions
	cfg.ServiceOptions = nil
	fns := []func(*s3.Options){func(o *s3.Options) { before = o.Copy() }}
	for _, fn := range serviceOptions {
		fns = append(fns, func(o *s3.Options) { fn(s3.ServiceID, o) })
	}
	fns = append(fns, optFns...)
	fns = append(fns, func(o *s3.Options) { after = o.Copy() })
	s3.NewFromConfig(cfg, fns...)
	return before, after
}

const (
	useWorkerCommand = "set it in a separate program that calls ServeWorker, and name that program in Config.WorkerCommand"
	useMaxAttempts   = "set Config.MaxAttempts or RetryMode instead, or set it in a Config.WorkerCommand program"
)

// foreignFields returns the fields of s3.Options in which the caller has set code, each with the
// remedy. Every field of s3.Options is a plain value (Client), or listed here, or irrelevant to a
// download. A test compares the three lists with the type.
func foreignFields(cfg aws.Config, before, after s3.Options) map[string]string {
	faults := map[string]string{}
	check := func(field string, set bool, remedy string) {
		if set {
			faults[field] = remedy
		}
	}
	check("APIOptions (middleware)", len(after.APIOptions) > 0, useWorkerCommand)
	check("Interceptors", !reflect.ValueOf(after.Interceptors).IsZero() && hasInterceptors(after), useWorkerCommand)
	//lint:ignore SA1019 A caller may still set it.
	check("EndpointResolver", after.EndpointResolver != nil, "set BaseEndpoint instead, or "+useWorkerCommand)
	check("EndpointResolverV2", differs(before.EndpointResolverV2, after.EndpointResolverV2), "set BaseEndpoint instead, or "+useWorkerCommand)
	check("ExpressCredentials", after.ExpressCredentials != nil, useWorkerCommand)
	check("HTTPSignerV4", differs(before.HTTPSignerV4, after.HTTPSignerV4), useWorkerCommand)
	check("AuthSchemeResolver", differs(before.AuthSchemeResolver, after.AuthSchemeResolver), useWorkerCommand)
	check("AuthSchemes", len(after.AuthSchemes) > 0, useWorkerCommand)
	check("TracerProvider", differs(before.TracerProvider, after.TracerProvider), useWorkerCommand)
	check("MeterProvider", differs(before.MeterProvider, after.MeterProvider), useWorkerCommand)
	check("Retryer", cfg.Retryer != nil || differs(before.Retryer, after.Retryer), useMaxAttempts)
	return faults
}

func hasInterceptors(o s3.Options) bool {
	v := reflect.ValueOf(o.Interceptors)
	for i := range v.NumField() {
		if v.Field(i).Len() > 0 {
			return true
		}
	}
	return false
}

// differs reports whether two interface values differ.
func differs(a, b any) bool {
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	if !va.IsValid() || !vb.IsValid() || va.Type() != vb.Type() {
		return va.IsValid() != vb.IsValid() || va.IsValid() && va.Type() != vb.Type()
	}
	if va.Kind() == reflect.Func {
		return va.Pointer() != vb.Pointer()
	}
	return !reflect.DeepEqual(a, b)
}

// clientOf returns the HTTP client, with the settings of the DefaultsMode applied. It returns an
// error if the client is not of the SDK's own type.
func clientOf(after s3.Options) (*awshttp.BuildableClient, error) {
	client, ok := after.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return nil, fmt.Errorf("HTTPClient (%T) cannot cross to a worker process: only an *awshttp.BuildableClient can; %s",
			after.HTTPClient, useWorkerCommand)
	}
	return client, nil
}
