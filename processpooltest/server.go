package processpooltest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

// Options are the options of [NewServer]. The zero value is the default.
type Options struct {
	// AccessKey and SecretKey are the credentials with which requests must be signed.
	// [Server.Config] has them. Default "": signatures are not checked.
	AccessKey, SecretKey string

	// ETagOnly sends no checksums, like many servers that are not Amazon's. Default false.
	ETagOnly bool

	// PageSize is the largest number of keys on a page of a listing. Default 0: 1000, as S3.
	PageSize int
}

// Server is an S3 server in the process of a test, which keeps its objects in memory. It answers
// HeadObject, GetObject, GetObjectAttributes, HeadBucket and ListObjectsV2. All methods may be
// called from any goroutine.
type Server struct {
	origin   *s3test.Server
	etagOnly bool
}

// NewServer starts a server on a free port of 127.0.0.1. It is closed when the test and its
// subtests have ended; a request that is still under way then is broken off. NewServer panics if it
// cannot listen.
func NewServer(t testing.TB, optFns ...func(*Options)) *Server {
	t.Helper()
	var o Options
	for _, fn := range optFns {
		fn(&o)
	}
	origin := s3test.Start(func(to *s3test.Options) {
		to.AccessKey, to.SecretKey = o.AccessKey, o.SecretKey
		to.ETagOnly, to.PageSize = o.ETagOnly, o.PageSize
	})
	t.Cleanup(origin.Close)
	return &Server{origin, o.ETagOnly}
}

// Config returns the settings of a client of the server: region, endpoint, credentials and path
// style. NewDownloader and s3.NewFromConfig need no other.
func (s *Server) Config() aws.Config {
	cfg := s.origin.Config()
	// An aws.Config has no field for path style.
	cfg.ServiceOptions = append(cfg.ServiceOptions, func(_ string, options any) {
		if o, ok := options.(*s3.Options); ok {
			o.UsePathStyle = true
		}
	})
	return cfg
}

// URL returns the server's address, such as http://127.0.0.1:34567.
func (s *Server) URL() string { return s.origin.URL() }
