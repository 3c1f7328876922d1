package pool

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// vendor retrieves credentials once for all workers and sends them to each that asks. Workers never
// ask IMDS, STS or SSO themselves.
type vendor struct {
	ctx     context.Context       // ends with the pool
	cache   *aws.CredentialsCache // nil = requests are not signed
	pending sync.WaitGroup        // answers
	renewal sync.Mutex            // held while refused credentials are replaced
	every   time.Duration         // renewEvery, or less in tests
}

func newVendor(ctx context.Context, provider aws.CredentialsProvider) *vendor {
	v := &vendor{ctx: ctx, every: renewEvery}
	switch p := provider.(type) {
	case nil:
	case *aws.CredentialsCache:
		v.cache = p // the application may share it with other clients
	default:
		v.cache = aws.NewCredentialsCache(p)
	}
	return v
}

// vend answers a worker's Ask as soon as the provider has answered. Workers that ask at the same
// time cause one call of the provider. vend does not block.
func (v *vendor) vend(w *process, ask *ipc.Ask) {
	v.pending.Go(func() {
		if ask.RefusedKey != "" || ask.RefusedToken != "" {
			sleep(v.ctx, v.every-time.Since(w.renewed))
			w.renewed = time.Now()
		}
		c := v.answer(ask)
		w.asking.Store(false)
		w.post(c, nil)
	})
}

// renewEvery is the least time between two Asks of one worker which say that S3 has refused the
// credentials: each may call the provider, whose own service may limit calls.
const renewEvery = time.Second

func (v *vendor) answer(ask *ipc.Ask) *ipc.Credentials {
	if v.cache == nil {
		return &ipc.Credentials{Err: "the pool has no credentials"}
	}
	c, err := v.cache.Retrieve(v.ctx)
	if err == nil && refused(ask, c) {
		c, err = v.renew(ask)
	}
	if err != nil {
		return &ipc.Credentials{Err: reason(err)}
	}
	if year := c.Expires.Year(); year < 0 || year > 9999 { // JSON cannot express it
		c.CanExpire, c.Expires = c.CanExpire && year < 0, time.Time{}
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

// refreshing is what an aws.CredentialsCache writes before an error of its provider. The workers
// have caches too, which write it again.
const refreshing = "failed to refresh cached credentials, "

// reason returns the text of a provider's error without what the caches write.
func reason(err error) string {
	return failure.Cut(strings.ReplaceAll(err.Error(), refreshing, ""), failure.MaxText)
}

// refused reports whether c are the credentials that S3 has refused.
func refused(ask *ipc.Ask, c aws.Credentials) bool {
	return ask.RefusedKey == c.AccessKeyID && ask.RefusedToken == c.SessionToken
}

// renew replaces the credentials that S3 has refused, unless another worker's Ask has done so
// already.
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

// wait waits until all answers are posted. It must be called after the last vend.
func (v *vendor) wait() { v.pending.Wait() }
