// Package fetch makes the requests to S3: one HeadObject, one page of a listing, or one range of an
// object that it writes to a file. It retries failed attempts, checks every answer against the
// request, and ends attempts that stall. No other package calls the SDK's client.
package fetch

import (
	"context"
	"crypto/fips140"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"github.com/s3processpool/processpool/internal/answer"
	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/spread"
)

// Client makes a worker's requests. Its methods may be called concurrently. They never change the
// job.
type Client struct {
	s3          *s3.Client
	dialer      *spread.Dialer
	early       *early
	credentials Refresher
	regions     regions
	limiter     aws.RetryerV2 // sets the pace in the adaptive retry mode; nil in the standard mode
	clock       Clock
	stall       time.Duration
	buffers     chan []byte
	reports     bool // to a Reporter
	rate        *RateLimit

	// The budget of each question.
	maxAttempts  int
	retryTimeout time.Duration
}

// Refresher provides credentials. Refresh drops the present ones, because S3 has refused them.
type Refresher interface {
	aws.CredentialsProvider
	Refresh()
}

// Options are what a Client is made of.
type Options struct {
	Settings    settings.Settings
	Credentials Refresher     // to sign requests with; nil = requests are not signed
	Lookup      spread.Lookup // of host names; nil = net.DefaultResolver.LookupNetIP
	Clock       Clock         // of pauses and budgets; nil = this machine's
	Rate        *RateLimit    // of the bodies of Gets; nil = none
}

// New makes a client. optFns change the options of the SDK's client and come last.
func New(o Options, optFns ...func(*s3.Options)) (*Client, error) {
	s, credentials := o.Settings, o.Credentials
	dialer := newDialer(s, o.Lookup)
	if o.Rate == nil {
		o.Rate = &RateLimit{}
	}
	httpClient, early, err := newHTTPClient(s, dialer)
	if err != nil {
		return nil, err
	}
	options := s3.Options{
		HTTPClient: httpClient,
		// This package retries: it knows which bytes have arrived.
		Retryer: aws.NopRetryer{},
		// The SDK must not validate the body. A checksum that comes with a range may be the whole
		// object's, and then every range would fail. The workers sum what they write instead, and
		// the parent verifies the sums of all ranges against the object's checksum.
		ResponseChecksumValidation:                aws.ResponseChecksumValidationWhenRequired,
		DisableLogOutputChecksumValidationSkipped: true,
	}
	s.Client.Apply(&options)
	if !s.Client.Anonymous {
		options.Credentials = credentials
	}
	options.APIOptions = append(options.APIOptions, userAgent(s.UserAgent), withoutBodyValidation, withoutExposure, answer.Check)
	if s.Attempts {
		options.APIOptions = append(options.APIOptions, withReports)
	}
	c := &Client{
		s3:          s3.New(options, optFns...),
		dialer:      dialer,
		early:       early,
		credentials: credentials,
		clock:       o.Clock,
		stall:       s.StallTimeout,
		buffers:     make(chan []byte, s.Slots),
		reports:     s.Attempts,
		rate:        o.Rate,

		maxAttempts:  s.MaxAttempts,
		retryTimeout: s.RetryTimeout,
	}
	if c.clock == nil {
		c.clock = newSystem(s.Hurry)
	}
	if s.Client.Anonymous {
		c.credentials = nil
	}
	if s.Client.RetryMode == aws.RetryModeAdaptive {
		c.limiter = retry.NewAdaptiveMode()
	}
	return c, nil
}

func userAgent(product string) func(*middleware.Stack) error {
	name, version, _ := strings.Cut(product, "/")
	return awsmiddleware.AddUserAgentKeyValue(name, version)
}

// withoutBodyValidation removes the SDK's validation of the body, which ChecksumMode would
// otherwise switch on.
func withoutBodyValidation(stack *middleware.Stack) error {
	const id = "AWSChecksum:ValidateOutputPayloadChecksum"
	if _, ok := stack.Deserialize.Get(id); !ok {
		return nil // HeadObject has no body
	}
	_, err := stack.Deserialize.Remove(id)
	return err
}

// newHTTPClient returns a client that does not follow redirects, like the SDK's own: a redirect of
// S3 names another region, which needs another signature.
func newHTTPClient(s settings.Settings, dialer *spread.Dialer) (*http.Client, *early, error) {
	transport, early, err := newTransport(s, dialer)
	if err != nil {
		return nil, nil, err
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, early, nil
}

// signable waits for credentials. It comes before the watch for stalls begins, because the pool may
// have to ask a slow provider.
func (c *Client) signable(ctx context.Context) error {
	if c.credentials == nil {
		return nil
	}
	now, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	if n := len(now.SecretAccessKey); n < leastSecret && fips140.Enforced() {
		return fmt.Errorf("credentials: the secret access key has %d characters, and FIPS 140-only mode (GODEBUG=fips140=only) "+
			"refuses to sign with fewer than %d", n, leastSecret)
	}
	return nil
}

// leastSecret is how many characters a secret access key needs in FIPS 140-only mode. A signature
// begins with an HMAC whose key is "AWS4" and the secret
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), and
// package crypto/hmac panics at a key of fewer than 14 bytes. A secret of AWS has 40.
const leastSecret = 14 - len("AWS4")
