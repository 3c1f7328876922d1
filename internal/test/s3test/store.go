package s3test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"
)

// DefaultOwner is the account that owns every bucket.
const DefaultOwner = "111122223333"

// store holds the buckets. A stored *Object is never written to again.
type store struct {
	mu struct {
		sync.Mutex
		buckets map[string]*bucket
		serial  int
	}
}

type bucket struct {
	versioning bool                 // new versions beside the old ones
	versioned  bool                 // versioning was on at some time
	keys       map[string][]*Object // versions, the newest last
}

// bucket returns a bucket, made if missing; the lock must be held.
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

// CreateBucket makes a bucket unless it is there.
func (s *Server) CreateBucket(name string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.bucket(name)
}

// SetVersioning turns versioning of a bucket on, or suspends it.
func (s *Server) SetVersioning(name string, on bool) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.bucket(name)
	b.versioning = on
	b.versioned = b.versioned || on
}

// Delete removes an object; where versioning is on it puts a delete marker
// before the versions.
func (s *Server) Delete(bucket, key string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	b := s.store.bucket(bucket)
	if !b.versioned {
		delete(b.keys, key)
		return
	}
	s.store.add(&Object{Bucket: bucket, Key: key, LastModified: time.Now().UTC(), deleteMarker: true})
}

// add puts o in as the newest version; the lock must be held.
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
}

// version is VersionID, with S3's name for the version of an object put
// without versioning.
func (o *Object) version() string {
	if o.VersionID == "" {
		return "null"
	}
	return o.VersionID
}

// wellFormed are the version ids this origin makes, and S3's.
var wellFormed = regexp.MustCompile(`^(null|[A-Za-z0-9._-]{32})$`)

// find returns the version of an object that a request means.
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

// objects returns the newest version of every object of a bucket, by key.
func (st *store) objects(bucket string) []*Object {
	st.mu.Lock()
	defer st.mu.Unlock()
	var all []*Object
	b := st.mu.buckets[bucket]
	if b == nil {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(b.keys)) {
		versions := b.keys[key]
		if o := versions[len(versions)-1]; !o.deleteMarker {
			all = append(all, o)
		}
	}
	return all
}
