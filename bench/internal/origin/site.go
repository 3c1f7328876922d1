// Package origin creates objects and starts servers for them: nginx if it is installed, otherwise
// the module's own origin. Each server runs in processes of its own.
package origin

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/minio/crc64nvme"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Bucket is the only bucket.
const Bucket = "bench"

// Site is a folder of objects. They are files in a subfolder with the name of the bucket.
type Site struct {
	Dir     string
	Objects []Object
}

// Object is an object of a Site.
type Object struct {
	Key       string
	Size      int64
	Path      string // "": there is no file, and downloads cannot be compared with it
	CRC64NVME string // base64, as S3 sends it; "": not sent
}

// NewSite creates an empty site in dir.
func NewSite(dir string) (*Site, error) {
	return &Site{Dir: dir}, os.MkdirAll(filepath.Join(dir, Bucket), 0o755)
}

// Random adds an object of random content, with its checksum.
func (s *Site) Random(key string, size int64) (Object, error) {
	o := Object{Key: key, Size: size, Path: s.path(key)}
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o755); err != nil {
		return o, err
	}
	f, err := os.Create(o.Path)
	if err != nil {
		return o, err
	}
	defer f.Close()
	sum := crc64nvme.New()
	content := io.NewSectionReader(s3test.Pattern(uint64(len(s.Objects)+1)), 0, size)
	if _, err := io.CopyBuffer(io.MultiWriter(f, sum), content, make([]byte, 1<<20)); err != nil {
		return o, err
	}
	o.CRC64NVME = base64.StdEncoding.EncodeToString(sum.Sum(nil))
	s.Objects = append(s.Objects, o)
	return o, f.Close()
}

// Sparse adds an object of zeros, which takes no space, without a checksum.
func (s *Site) Sparse(key string, size int64) (Object, error) {
	o := Object{Key: key, Size: size, Path: s.path(key)}
	if err := os.WriteFile(o.Path, nil, 0o644); err != nil {
		return o, err
	}
	s.Objects = append(s.Objects, o)
	return o, os.Truncate(o.Path, size)
}

// Virtual adds an object without a file. nginx cannot serve it.
func (s *Site) Virtual(key string, size int64) Object {
	o := Object{Key: key, Size: size}
	s.Objects = append(s.Objects, o)
	return o
}

func (s *Site) path(key string) string { return filepath.Join(s.Dir, Bucket, key) }

// writeList writes the list of the objects for ReadList, and returns the name of the file.
func (s *Site) writeList() (string, error) {
	data, err := json.Marshal(s.Objects)
	if err != nil {
		return "", err
	}
	name := filepath.Join(s.Dir, "objects.json")
	return name, os.WriteFile(name, data, 0o644)
}

// ReadList reads the list of the objects of a site.
func ReadList(name string) ([]Object, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var objects []Object
	if err := json.Unmarshal(data, &objects); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return objects, nil
}
