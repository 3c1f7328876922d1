package harness

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A Provider is a credentials provider that counts its calls.
type Provider struct {
	// Give returns the credentials for the n-th call, counted from 1.
	Give func(n int32) (aws.Credentials, error)

	calls atomic.Int32
}

// Retrieve implements aws.CredentialsProvider.
func (p *Provider) Retrieve(context.Context) (aws.Credentials, error) { return p.Give(p.calls.Add(1)) }

// Calls returns how often Retrieve was called.
func (p *Provider) Calls() int32 { return p.calls.Load() }
