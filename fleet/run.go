package fleet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Run is a run on a server: its plan, its queue, and its dead. Its methods may be called from any
// goroutine, and by many programs at once.
type Run struct {
	name     string
	js       jetstream.JetStream
	kv       jetstream.KeyValue
	work     jetstream.Stream
	dead     jetstream.Stream
	consumer jetstream.Consumer
}

// Options are what Create gives a new run. The zero value is the default.
type Options struct {
	// AckWait is after what time without a sign of progress a message goes to another worker.
	// Default 30 s.
	AckWait time.Duration
	// MaxInFlight is how many messages all workers together may hold. Default 10,000.
	MaxInFlight int
	// Replicas is on how many servers of a cluster everything is kept, 1 to 5. Default 1.
	Replicas int
	// Window is how long the server knows the ids of messages. Default 2 min. The plan does not depend
	// on it: see the package's comment.
	Window time.Duration
}

const (
	prefix   = "processpool"
	consumer = "work"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckName returns what is wrong with the name of a run.
func CheckName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a run: use 1 to 64 letters, digits, - and _", name)
	}
	return nil
}

// The names of a run's parts on the server.
func bucketName(run string) string      { return prefix + "-" + run }
func workName(run string) string        { return prefix + "-" + run + "-work" }
func deadName(run string) string        { return prefix + "-" + run + "-dead" }
func subject(run, what string) string   { return prefix + "." + run + "." + what }
func (r *Run) workSubject(n int) string { return subject(r.name, "work."+strconv.Itoa(n)) }
func (r *Run) deadSubject(sequence uint64, index int) string {
	return subject(r.name, fmt.Sprintf("dead.%d.%d", sequence, index))
}

// Errors of runs.
var (
	// ErrNoRun means that the server has no run of the name.
	ErrNoRun = errors.New("the server has no such run")
	// ErrNoJetStream means that the server keeps no streams.
	ErrNoJetStream = errors.New("JetStream is not enabled on the server, or not for this account")
)

// Create creates a run, or opens it if it exists.
func Create(ctx context.Context, nc *nats.Conn, name string, o Options) (*Run, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	js, err := newJetStream(nc)
	if err != nil {
		return nil, err
	}
	if r, err := open(ctx, js, name); !errors.Is(err, ErrNoRun) {
		return r, err
	}
	replicas, meta := max(1, o.Replicas), map[string]string{"s3fleet": strconv.Itoa(Version)}
	if o.AckWait == 0 {
		o.AckWait = 30 * time.Second
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 10_000
	}
	if o.Window == 0 {
		o.Window = 2 * time.Minute
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: workName(name), Subjects: []string{subject(name, "work.*")}, Metadata: meta,
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: replicas, Duplicates: o.Window,
		AllowDirect: true,
	}); err != nil {
		return nil, serverError(err)
	}
	if _, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deadName(name), Subjects: []string{subject(name, "dead.*.*")}, Metadata: meta,
		Storage: jetstream.FileStorage, Replicas: replicas, MaxMsgsPerSubject: 1, AllowDirect: true, Duplicates: o.Window,
	}); err != nil {
		return nil, serverError(err)
	}
	if _, err := js.CreateOrUpdateConsumer(ctx, workName(name), jetstream.ConsumerConfig{
		Durable: consumer, FilterSubject: subject(name, "work.*"), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: o.AckWait, MaxAckPending: o.MaxInFlight, MaxDeliver: -1, Replicas: replicas,
	}); err != nil {
		return nil, serverError(err)
	}
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: bucketName(name), History: 1, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		return nil, serverError(err)
	}
	if _, err := kv.Create(ctx, recordKey, record{V: Version}.encode()); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return nil, serverError(err)
	}
	return open(ctx, js, name)
}

// Open opens a run.
func Open(ctx context.Context, nc *nats.Conn, name string) (*Run, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	js, err := newJetStream(nc)
	if err != nil {
		return nil, err
	}
	return open(ctx, js, name)
}

func open(ctx context.Context, js jetstream.JetStream, name string) (*Run, error) {
	r := &Run{name: name, js: js}
	var err error
	if r.kv, err = js.KeyValue(ctx, bucketName(name)); err != nil {
		return nil, missing(err, name)
	}
	if _, _, err := r.load(ctx); err != nil {
		return nil, missing(err, name)
	}
	if r.work, err = js.Stream(ctx, workName(name)); err != nil {
		return nil, missing(err, name)
	}
	if v := r.work.CachedInfo().Config.Metadata["s3fleet"]; v != strconv.Itoa(Version) {
		return nil, fmt.Errorf("run %s: %w: its stream has version %q, and this program knows version %d", name, errVersion, v, Version)
	}
	if r.dead, err = js.Stream(ctx, deadName(name)); err != nil {
		return nil, missing(err, name)
	}
	if r.consumer, err = r.work.Consumer(ctx, consumer); err != nil {
		return nil, missing(err, name)
	}
	return r, nil
}

// missing makes one error of all those that say that a part of a run is not there.
func missing(err error, name string) error {
	for _, none := range []error{
		jetstream.ErrBucketNotFound, jetstream.ErrKeyNotFound, jetstream.ErrStreamNotFound, jetstream.ErrConsumerNotFound,
	} {
		if errors.Is(err, none) {
			return fmt.Errorf("run %s: %w", name, ErrNoRun)
		}
	}
	return serverError(err)
}

// serverError says what an error of the server means.
func serverError(err error) error {
	switch {
	case errors.Is(err, ErrNoJetStream), errors.Is(err, errRefused): // said before
		return err
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%w (%v)", ErrNoJetStream, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("the NATS server does not answer: it may be choosing a leader, or too few servers of its cluster are up (%w)", err)
	case errors.Is(err, nats.ErrConnectionClosed):
		return fmt.Errorf("%w (%w)", errRefused, err)
	}
	return err
}

func newJetStream(nc *nats.Conn) (jetstream.JetStream, error) {
	return jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(2*maxPending), jetstream.WithPublishAsyncTimeout(patience))
}

// Name returns the name of the run.
func (r *Run) Name() string { return r.name }

// Reset puts back into the queue what workers hold, at once. It is for a caller who knows that there
// are none, such as after a crash of the only machine: otherwise two workers may have one message, which
// costs time and no harm.
func (r *Run) Reset(ctx context.Context) error {
	info, err := r.consumer.Info(ctx)
	if err != nil {
		return missing(err, r.name)
	}
	if info.NumAckPending == 0 {
		return nil
	}
	if err := r.work.DeleteConsumer(ctx, consumer); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return serverError(err)
	}
	r.consumer, err = r.work.CreateOrUpdateConsumer(ctx, info.Config)
	return serverError(err)
}

// Delete removes the run, with what is left of its queue. Workers of it end with an error.
func (r *Run) Delete(ctx context.Context) error {
	// The bucket is last: without it there is no run, and nothing to remove.
	for _, name := range []string{workName(r.name), deadName(r.name)} {
		if err := r.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return serverError(err)
		}
	}
	if err := r.js.DeleteKeyValue(ctx, bucketName(r.name)); err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
		return serverError(err)
	}
	return nil
}

// Names returns the names of all runs on a server.
func Names(ctx context.Context, nc *nats.Conn) (names []string, err error) {
	js, err := newJetStream(nc)
	if err != nil {
		return nil, err
	}
	buckets := js.KeyValueStoreNames(ctx)
	for bucket := range buckets.Name() {
		if name, ok := strings.CutPrefix(bucket, prefix+"-"); ok {
			names = append(names, name)
		}
	}
	return names, serverError(buckets.Error())
}
