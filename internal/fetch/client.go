// Package fetch speaks to S3: one HeadObject, one page of a listing, or one range of
// an object written to a file, with attempts, checks of every answer, and a watch on silence. It is
// the only place where the SDK's client is called.
package fetch

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/s3processpool/processpool/internal/settings"
	"github.com/s3processpool/processpool/internal/spread"
)

// Client makes a worker's requests. It may be used by all of its jobs at once.
type Client struct {
	s3          *s3.Client
	dialer      *spread.Dialer
	credentials Refresher
	regions     regions
	limiter     aws.RetryerV2 // the adaptive mode's pace; nil in the standard mode
	maxAttempts int
	stall       time.Duration
	buffers     chan []byte
}

// Refresher is a source of credentials that can be told to forget the old ones.
type Refresher interface {
	aws.CredentialsProvider
	Refresh()
}

// New makes a client of s. Requests are signed with credentials, nil for none.
func New(s settings.Settings, credentials Refresher, optFns ...func(*s3.Options)) (*Client, error) {
	dialer := newDialer(s)
	httpClient, err := newHTTPClient(s, dialer)
	if err != nil {
		return nil, err
	}
	options := s3.Options{
		HTTPClient: httpClient,
		// Attempts are made here, where the bytes that did arrive are known.
		Retryer: aws.NopRetryer{},
		// A ranged answer's checksum may be the whole object's, whatever the server
		// says; this library verifies on its own (DESIGN: integrity).
		ResponseChecksumValidation:                aws.ResponseChecksumValidationWhenRequired,
		DisableLogOutputChecksumValidationSkipped: true,
	}
	s.Client.Apply(&options)
	if !s.Client.Anonymous {
		options.Credentials = credentials
	}
	options.APIOptions = append(options.APIOptions, userAgent(s.UserAgent), withoutBodyValidation)
	c := &Client{
		s3:          s3.New(options, optFns...),
		dialer:      dialer,
		credentials: credentials,
		maxAttempts: s.MaxAttempts,
		stall:       s.StallTimeout,
		buffers:     make(chan []byte, s.Slots),
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

// withoutBodyValidation takes the SDK's checksum of the body out of the stack,
// which ChecksumMode would otherwise switch on.
func withoutBodyValidation(stack *middleware.Stack) error {
	const id = "AWSChecksum:ValidateOutputPayloadChecksum"
	if _, ok := stack.Deserialize.Get(id); !ok {
		return nil // HeadObject has none
	}
	_, err := stack.Deserialize.Remove(id)
	return err
}

// statusOf returns the HTTP status of a successful answer.
func statusOf(metadata middleware.Metadata) int {
	if response, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		return response.StatusCode
	}
	return 0
}

// newHTTPClient returns a client that follows no redirect, as the SDK's own: S3's
// redirects name a region, and need another signature.
func newHTTPClient(s settings.Settings, dialer *spread.Dialer) (*http.Client, error) {
	transport, err := newTransport(s, dialer)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// signable makes sure of credentials before a request's clock starts: the pool
// may have to ask a slow provider for them.
func (c *Client) signable(ctx context.Context) error {
	if c.credentials == nil {
		return nil
	}
	if _, err := c.credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	return nil
}
