package s3test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultOwner is the account that owns every bucket.
const DefaultOwner = "111122223333"

// store holds the buckets. A stored *Object is never modified.
type store struct {
	mu struct {
		sync.Mutex
		buckets map[string]*bucket
		serial  int
	}
}

type bucket struct {
	versioning bool                 // add new versions, keep the old ones
	versioned  bool                 // versioning has been on at some time
	keys       map[string][]*Object // versions, the newest last
	listing    []*Object            // the newest versions, sorted by key; nil: keys has changed since
}

// bucket returns a bucket, and creates it if necessary. The caller must hold st.mu.
func (st *store) bucket(name string) *bucket {
	b := st.mu.buckets[name]
	if b == nil {
		b = &bucket{keys: map[string][]*Object{}}
		if st.mu.buckets == nil {
			st.mu.buckets = map[string]*bucket{}
		}
		st.mu.buckets[name] = b
	}
	return b
}

// CreateBucket creates a bucket unless it exists.
func (s *Server) CreateBucket(name string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.bucket(name)
}

// SetVersioning enables the versioning of a bucket, or suspends it.
func (s *Server) SetVersioning(name string, on bool) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.bucket(name)
	b.versioning = on
	b.versioned = b.versioned || on
}

// Delete removes an object. In a bucket with versioning it adds a delete marker instead.
func (s *Server) Delete(bucket, key string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.bucket(bucket)
	if !b.versioned {
		delete(b.keys, key)
		b.listing = nil
		return
	}
	s.store.add(&Object{Bucket: bucket, Key: key, LastModified: time.Now().UTC(), deleteMarker: true})
}

// add stores o as the newest version. The caller must hold st.mu.
func (st *store) add(o *Object) {
	b := st.bucket(o.Bucket)
	st.mu.serial++
	versions := b.keys[o.Key]
	if b.versioning && o.VersionID == "" {
		o.VersionID = fmt.Sprintf("v%031d", st.mu.serial)
	}
	if !b.versioning && o.VersionID == "" && b.versioned {
		o.VersionID = "null"
	}
	versions = slices.DeleteFunc(slices.Clone(versions), func(v *Object) bool {
		return v.version() == o.version()
	})
	b.keys[o.Key] = append(versions, o)
	b.listing = nil
}

// version returns VersionID, or "null", S3's name for the version of an object that was stored
// without versioning.
func (o *Object) version() string {
	if o.VersionID == "" {
		return "null"
	}
	return o.VersionID
}

// wellFormed matches the version ids of this origin and of S3.
var wellFormed = regexp.MustCompile(`^(null|[A-Za-z0-9._-]{32})$`)

// find returns the version of an object that a request selects. versioned reports whether its
// responses have a version id.
func (st *store) find(bucket, key, version string) (o *Object, versioned bool, err *apiError) {
	st.mu.Lock()
	defer st.mu.Unlock()
	b := st.mu.buckets[bucket]
	if b == nil {
		return nil, false, errNoBucket
	}
	versions := b.keys[key]
	if version == "" {
		if len(versions) == 0 {
			return nil, b.versioned, errNoKey
		}
		o = versions[len(versions)-1]
		if o.deleteMarker {
			return o, b.versioned, errNoKey
		}
		return o, b.versioned, nil
	}
	i := slices.IndexFunc(versions, func(v *Object) bool { return v.version() == version })
	switch {
	case i >= 0 && versions[i].deleteMarker:
		return versions[i], b.versioned, errMarker
	case i >= 0:
		return versions[i], b.versioned, nil
	case !wellFormed.MatchString(version):
		return nil, b.versioned, errBadVersion
	}
	return nil, b.versioned, errNoVersion
}

func (st *store) has(bucket string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.mu.buckets[bucket] != nil
}

// objects returns the newest version of every object of a bucket whose key is from or greater,
// sorted by key. The caller must not change the slice.
func (st *store) objects(bucket, from string) []*Object {
	st.mu.Lock()
	defer st.mu.Unlock()
	b := st.mu.buckets[bucket]
	if b == nil {
		return nil
	}
	if b.listing == nil {
		b.listing = []*Object{}
		for _, key := range slices.Sorted(maps.Keys(b.keys)) {
			versions := b.keys[key]
			if o := versions[len(versions)-1]; !o.deleteMarker {
				b.listing = append(b.listing, o)
			}
		}
	}
	i, _ := slices.BinarySearchFunc(b.listing, from, func(o *Object, key string) int { return strings.Compare(o.Key, key) })
	return b.listing[i:]
}
