package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
)

// Version is the version of messages and of the run record. Programs of another version refuse them.
const Version = 1

// Object is one object of a plan.
type Object struct {
	Bucket   string `json:"bucket"`
	Key      string `json:"key"`
	Version  string `json:"version,omitempty"`
	ETag     string `json:"etag,omitempty"`     // with its quotes; "": any
	Size     int64  `json:"size"`               // bytes; -1: not known
	Checksum string `json:"checksum,omitempty"` // such as sha256:VALUE, in hex or base64

	// File is the destination: a path below the worker's directory, with slashes. "": the key has none,
	// and the object goes to the dead.
	File string `json:"file,omitempty"`
}

// message is the body of a work message.
type message struct {
	V       int      `json:"v"`
	Objects []Object `json:"objects"`
}

// Small objects travel together, since a message costs the server about as much as a small download.
const (
	smallObject     = 1 << 20 // bytes; larger objects, and those of unknown size, have a message each
	maxBatchObjects = 100
	maxBatchBytes   = 64 << 20 // of the objects
	maxBatchText    = 96 << 10 // of the message: servers take 1 MiB by default
)

// sizes returns the known bytes of objects.
func sizes(objects []Object) (total int64) {
	for _, o := range objects {
		total += max(0, o.Size)
	}
	return total
}

// encode returns the body of a message.
func encode(objects []Object) (json.RawMessage, error) {
	return json.Marshal(message{V: Version, Objects: objects})
}

// errVersion means that a message or a run is of another version.
var errVersion = errors.New("another version of s3fleet has written it")

// decode returns the objects of a message.
func decode(data []byte) ([]Object, error) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("the message is no JSON of a plan: %w", err)
	}
	if m.V != Version {
		return nil, fmt.Errorf("%w: the message has version %d, and this program knows version %d", errVersion, m.V, Version)
	}
	if len(m.Objects) == 0 {
		return nil, errors.New("the message has no objects")
	}
	return m.Objects, nil
}

// idOf returns the id of a message for JetStream's de-duplication: what it downloads, to where, and
// its place in the stream, so that an object that is put back counts again.
func idOf(objects []Object, sequence uint64) string {
	h := sha256.New()
	for _, o := range objects {
		fmt.Fprintf(h, "%q %q %q %q\n", o.Bucket, o.Key, o.Version, o.File)
	}
	return fmt.Sprintf("%s-%d", hex.EncodeToString(h.Sum(nil)[:16]), sequence)
}

// path returns the destination below dir. A message is not trusted to stay there.
func (o *Object) path(dir string) (string, error) {
	name := filepath.FromSlash(o.File)
	if o.File == "" || !filepath.IsLocal(name) || filepath.Clean(name) == "." {
		return "", fmt.Errorf("%q is no file below the directory", o.File)
	}
	return filepath.Join(dir, name), nil
}

// batcher gathers small objects.
type batcher struct {
	objects []Object
	bytes   int64
	text    int
}

// add adds an object, and returns what is ready to be sent.
func (b *batcher) add(o Object) (ready [][]Object) {
	if o.Size < 0 || o.Size > smallObject {
		return [][]Object{{o}}
	}
	text := 6*(len(o.Key)+len(o.File)) + 256 // at most, as JSON
	if len(b.objects) == maxBatchObjects || b.bytes+o.Size > maxBatchBytes || b.text+text > maxBatchText {
		ready = b.flush()
	}
	b.objects = append(b.objects, o)
	b.bytes += o.Size
	b.text += text
	return ready
}

func (b *batcher) flush() (ready [][]Object) {
	if len(b.objects) > 0 {
		ready = [][]Object{b.objects}
	}
	*b = batcher{}
	return ready
}
