package settings

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Extracted is the result of Extract.
type Extracted struct {
	Settings    Settings
	Credentials aws.CredentialsProvider // nil: requests are not signed
	Foreign     Foreign                 // settings that cannot cross a process boundary
}

// Foreign are settings that cannot cross a process boundary. Settings has the SDK's defaults in their
// place.
type Foreign []Fault

// Fault is a setting that cannot cross.
type Fault struct {
	Field string
	Why   string // and what to do about it
}

func (f Fault) Error() string { return f.Field + " " + f.Why }

func cannotCross(field, remedy string) Fault {
	return Fault{field, "cannot cross to a worker process: " + remedy}
}

// Err joins one error for each setting; nil if there is none.
func (f Foreign) Err() error {
	var all []error
	for _, fault := range f {
		all = append(all, fault)
	}
	return errors.Join(all...)
}

// Fields returns the names of the settings.
func (f Foreign) Fields() string {
	var names []string
	for _, fault := range f {
		names = append(names, fault.Field)
	}
	return strings.Join(names, ", ")
}

// Extract returns the settings of the client that s3.NewFromConfig would create from cfg and
// optFns. If caGiven is true, the caller has given the root certificates in another way, and those
// of an HTTP client need not cross.
func Extract(cfg aws.Config, optFns []func(*s3.Options), caGiven bool) Extracted {
	before, after := resolve(cfg, optFns)
	foreign := foreignFields(after, func(field string, a, b any) bool { return differs(a, b) }, before)
	if cfg.Retryer != nil || differs(before.Retryer, after.Retryer) {
		foreign = append(foreign, cannotCross("Retryer", useMaxAttempts))
	}
	timeout, _ := readTimeout(cfg, before, after)
	return extracted(after, foreign, timeout, caGiven)
}

// extracted completes what is foreign with what the HTTP client has of it. readTimeout is the
// caller's; 0: not set.
func extracted(after s3.Options, foreign Foreign, readTimeout time.Duration, caGiven bool) Extracted {
	x := Extracted{Settings: Settings{Client: fromOptions(after)}}
	if !x.Settings.Client.Anonymous {
		x.Credentials = after.Credentials
	}
	x.Settings.MaxAttempts = after.RetryMaxAttempts
	client, ok := after.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		foreign = append(foreign, cannotCross(fmt.Sprintf("HTTPClient (%T)", after.HTTPClient),
			"only an *awshttp.BuildableClient can; "+useWorkerCommand))
		after.HTTPClient = nil
		client = s3.New(after).Options().HTTPClient.(*awshttp.BuildableClient)
	}
	var faults []Fault
	x.Settings.HTTP, faults = readHTTP(client, caGiven)
	x.Settings.StallTimeout = readTimeout
	x.Foreign = append(foreign, faults...)
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
	useBaseEndpoint  = "set BaseEndpoint instead, or " + useWorkerCommand
	useMaxAttempts   = "set Config.MaxAttempts or RetryMode instead, or set it in a Config.WorkerCommand program"
)

// foreignFields returns the fields of s3.Options in which the caller has set code, but for Retryer
// and HTTPClient. differ compares a field with what the SDK itself puts there, which before has.
// Every field of s3.Options is a plain value (Client), or listed here, or irrelevant to a download. A
// test compares the three lists with the type.
func foreignFields(after s3.Options, differ func(field string, a, b any) bool, before s3.Options) (foreign Foreign) {
	check := func(field string, set bool, remedy string) {
		if set {
			foreign = append(foreign, cannotCross(field, remedy))
		}
	}
	own := func(field string, a, b any, remedy string) { check(field, differ(field, a, b), remedy) }
	check("APIOptions (middleware)", len(after.APIOptions) > 0, useWorkerCommand)
	check("Interceptors", !reflect.ValueOf(after.Interceptors).IsZero() && hasInterceptors(after), useWorkerCommand)
	//lint:ignore SA1019 A caller may still set it.
	check("EndpointResolver", after.EndpointResolver != nil, useBaseEndpoint)
	own("EndpointResolverV2", before.EndpointResolverV2, after.EndpointResolverV2, useBaseEndpoint)
	own("ExpressCredentials", before.ExpressCredentials, after.ExpressCredentials, useWorkerCommand)
	own("HTTPSignerV4", before.HTTPSignerV4, after.HTTPSignerV4, useWorkerCommand)
	own("AuthSchemeResolver", before.AuthSchemeResolver, after.AuthSchemeResolver, useWorkerCommand)
	own("AuthSchemes", before.AuthSchemes, after.AuthSchemes, useWorkerCommand)
	own("TracerProvider", before.TracerProvider, after.TracerProvider, useWorkerCommand)
	own("MeterProvider", before.MeterProvider, after.MeterProvider, useWorkerCommand)
	return foreign
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
