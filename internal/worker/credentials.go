package worker

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
)

// credentials are the pool's, asked for over the socket when a request needs them
// and kept until they expire. The SDK's cache makes sure that only one job asks.
type credentials struct {
	*aws.CredentialsCache
	source *vended
}

func newCredentials(s *server) *credentials {
	source := &vended{server: s}
	return &credentials{aws.NewCredentialsCache(source), source}
}

// Refresh forgets the credentials, because S3 has refused them as expired.
func (c *credentials) Refresh() {
	c.source.expired.Store(true)
	c.Invalidate()
}

// vended is called by one goroutine at a time: the cache's.
type vended struct {
	server  *server
	expired atomic.Bool
	last    ipc.Credentials
}

func (v *vended) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ask := &ipc.Ask{}
	if v.expired.Swap(false) {
		ask.RefusedKey, ask.RefusedToken = v.last.AccessKeyID, v.last.SessionToken
	}
	if err := v.server.conn.Send(ask, nil); err != nil {
		return aws.Credentials{}, gone(err)
	}
	select {
	case <-ctx.Done():
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
