package pool

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/ipc"
)

// vendor resolves credentials, once for all workers, and gives them out. Workers
// never ask IMDS, STS or SSO on their own.
type vendor struct {
	ctx     context.Context
	cache   *aws.CredentialsCache // nil: requests are not signed
	pending sync.WaitGroup
	renewal sync.Mutex // held while refused credentials are replaced
}

func newVendor(ctx context.Context, provider aws.CredentialsProvider) *vendor {
	v := &vendor{ctx: ctx}
	switch p := provider.(type) {
	case nil:
	case *aws.CredentialsCache:
		v.cache = p // an application's own, which it may share with other clients
	default:
		v.cache = aws.NewCredentialsCache(p)
	}
	return v
}

// vend answers a worker's question as soon as the provider has an answer. Many
// workers that ask at once are one question to the provider.
func (v *vendor) vend(w *process, ask *ipc.Ask) {
	v.pending.Go(func() {
		answer := v.answer(ask)
		w.post(answer, nil)
	})
}

func (v *vendor) answer(ask *ipc.Ask) *ipc.Credentials {
	if v.cache == nil {
		return &ipc.Credentials{Err: errors.New("the pool has no credentials").Error()}
	}
	c, err := v.cache.Retrieve(v.ctx)
	if err == nil && refused(ask, c) {
		c, err = v.renew(ask)
	}
	if err != nil {
		return &ipc.Credentials{Err: err.Error()}
	}
	return &ipc.Credentials{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		SessionToken:    c.SessionToken,
		AccountID:       c.AccountID,
		Source:          c.Source,
		CanExpire:       c.CanExpire,
		Expires:         c.Expires,
	}
}

func refused(ask *ipc.Ask, c aws.Credentials) bool {
	return ask.RefusedKey == c.AccessKeyID && ask.RefusedToken == c.SessionToken
}

// renew replaces the credentials that S3 has refused, unless another worker came
// first: then those in the cache are new already.
func (v *vendor) renew(ask *ipc.Ask) (aws.Credentials, error) {
	v.renewal.Lock()
	defer v.renewal.Unlock()
	c, err := v.cache.Retrieve(v.ctx)
	if err == nil && refused(ask, c) {
		v.cache.Invalidate()
		c, err = v.cache.Retrieve(v.ctx)
	}
	return c, err
}

func (v *vendor) wait() { v.pending.Wait() }
