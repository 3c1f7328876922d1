//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/s3processpool/processpool"
)

// next makes a download without faults by the same Downloader, which must succeed. A worker that
// was stopped while it started, and still is, counts as one that cannot start.
func (r *run) next() {
	t := &transfer{key: "the next", object: object{algorithm: "crc64nvme", size: 3*r.plan.chunk + 1}, expected: -1}
	t.prepare(r)
	t.submit(r)
	err := t.future.Result()
	if errors.Is(err, processpool.ErrWorkerLost) && r.unstarted() {
		t.submitted = make(chan struct{})
		t.submit(r)
		err = t.future.Result()
	}
	if err != nil {
		r.Errorf("the next download: %v", err)
		return
	}
	if err := t.versions[0].in(t.name, 0, t.versions[0].size); err != nil {
		r.count.WrongBytes++
		r.Errorf("the next download: %v", err)
	}
}

// credentials returns the current credentials. renew replaces them, and the previous ones expire.
func (r *run) credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDCHAOS", SecretAccessKey: "secret", SessionToken: fmt.Sprint("token", r.token.Load())}, nil
}

func (r *run) renew() {
	r.origin.SetCredentials("AKIDCHAOS", "secret", fmt.Sprint("token", r.token.Add(1)))
}
