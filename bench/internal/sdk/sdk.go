// Package sdk configures the client of the SDK for a Task, in the same way for each program.
package sdk

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/bench/internal/task"
)

// Config returns the settings that config.LoadDefaultConfig would return.
func Config(t task.Task) aws.Config {
	return aws.Config{
		Region:                     "us-east-1",
		BaseEndpoint:               aws.String(t.URL),
		Credentials:                credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
}

// PathStyle selects path-style requests, which the origins expect.
func PathStyle(o *s3.Options) { o.UsePathStyle = true }

// NewClient returns a client with the SDK's own HTTP client, which trusts the CA of the Task.
func NewClient(t task.Task) (*s3.Client, error) {
	roots, err := Roots(t)
	if err != nil {
		return nil, err
	}
	cfg := Config(t)
	cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		if tr.TLSClientConfig == nil {
			tr.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		tr.TLSClientConfig.RootCAs = roots
	})
	return s3.NewFromConfig(cfg, PathStyle), nil
}

// Roots returns the CA of the Task, or nil for the system's roots.
func Roots(t task.Task) (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s contains no PEM certificate", t.CA)
	}
	return roots, nil
}
