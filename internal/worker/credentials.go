package worker

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
)

// credentials provides the pool's credentials. It asks for them over the socket when a request
// needs them, and keeps them until they expire. With the SDK's cache only one job asks at a time.
type credentials struct {
	*aws.CredentialsCache
	source *vended
}

func newCredentials(s *server) *credentials {
	source := &vended{server: s}
	return &credentials{aws.NewCredentialsCache(source), source}
}

// Refresh drops the credentials, because S3 has refused them as expired.
func (c *credentials) Refresh() {
	c.source.expired.Store(true)
	c.Invalidate()
}

// vended asks the pool for credentials. Only the cache calls Retrieve, and its calls never overlap
// (aws.CredentialsCache uses a singleflight.Group).
type vended struct {
	server  *server
	expired atomic.Bool     // S3 has refused the last ones
	last    ipc.Credentials // only Retrieve uses it
}

func (v *vended) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ask := &ipc.Ask{}
	if v.expired.Swap(false) {
		ask.RefusedKey, ask.RefusedToken = v.last.AccessKeyID, v.last.SessionToken
	}
	if err := v.server.send(ask); err != nil {
		return aws.Credentials{}, err
	}
	select {
	case <-ctx.Done(): // never under the cache, which shields ctx from the canceling of one job
		return aws.Credentials{}, context.Cause(ctx)
	case c := <-v.server.answers:
		if c.Err != "" {
			return aws.Credentials{}, errors.New(c.Err)
		}
		v.last = *c
		return aws.Credentials{
			AccessKeyID:     c.AccessKeyID,
			SecretAccessKey: c.SecretAccessKey,
			SessionToken:    c.SessionToken,
			AccountID:       c.AccountID,
			Source:          c.Source,
			CanExpire:       c.CanExpire,
			Expires:         c.Expires,
		}, nil
	}
}
