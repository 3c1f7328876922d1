package answer

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// raw is a server that answers each request with the same bytes.
type raw string

func (r raw) Do(request *http.Request) (*http.Response, error) {
	return http.ReadResponse(bufio.NewReader(strings.NewReader(string(r))), request)
}

// client returns an SDK client that gets answer for each request, as package fetch makes one.
func client(answer string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://s3.example"), UsePathStyle: true,
		HTTPClient: raw(answer), Retryer: aws.NopRetryer{},
		Credentials: aws.AnonymousCredentials{}, DisableS3ExpressSessionAuth: aws.Bool(true),
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}, func(o *s3.Options) { o.APIOptions = append(o.APIOptions, Check) })
}

const etag = `"0123456789abcdef0123456789abcdef-3"`

func head(answer string, job *ipc.Job) (ipc.Object, error) {
	out, err := client(answer).HeadObject(context.Background(), &s3.HeadObjectInput{Bucket: &job.Bucket, Key: &job.Key})
	if err != nil {
		return ipc.Object{}, Error(err)
	}
	return Head(out, job)
}

func part(answer string, job *ipc.Job) (Part, int, error) {
	out, err := client(answer).HeadObject(context.Background(), &s3.HeadObjectInput{
		Bucket: &job.Bucket, Key: &job.Key, PartNumber: aws.Int32(2),
	})
	if err != nil {
		return Part{}, 0, Error(err)
	}
	return PartOfHead(out, job, 2, etag)
}

func get(answer string, job *ipc.Job) (Object, error) {
	out, err := client(answer).GetObject(context.Background(), &s3.GetObjectInput{
		Bucket: &job.Bucket, Key: &job.Key, Range: aws.String("bytes=0-9"),
	})
	if err != nil {
		return Object{}, Error(err)
	}
	defer out.Body.Close()
	o, err := Get(out, job)
	if err == nil {
		_, err = io.Copy(io.Discard, o.Body)
	}
	return o, err
}

func list(answer string, job *ipc.Job) (*ipc.Page, error) {
	out, err := client(answer).ListObjectsV2(context.Background(), &s3.ListObjectsV2Input{Bucket: &job.Bucket})
	if err != nil {
		return nil, Error(err)
	}
	return Page(out, job.List)
}

func attributes(answer string, job *ipc.Job, marker string) (Parts, error) {
	out, err := client(answer).GetObjectAttributes(context.Background(), &s3.GetObjectAttributesInput{
		Bucket: &job.Bucket, Key: &job.Key, ObjectAttributes: []types.ObjectAttributes{"ETag", "ObjectParts"},
	})
	if err != nil {
		return Parts{}, Error(err)
	}
	return Attributes(out, job, etagOf(job), marker)
}

// etagOf returns the ETag that the object has in other answers. That of the key "plain" has none.
func etagOf(job *ipc.Job) string {
	if job.Key == "plain" {
		return ""
	}
	return etag
}

func asked() *ipc.Job { return &ipc.Job{Bucket: "b", Key: "k", List: &ipc.List{Token: "used"}} }

// ok returns an answer with a 200, these header lines and this body.
func ok(body string, header ...string) string {
	return "HTTP/1.1 200 OK\r\n" + strings.Join(append(header, ""), "\r\n") + "\r\n" + body
}

// wantUntrusted fails the test unless err is failure.ErrUnexpected and names want.
func wantUntrusted(t *testing.T, err error, want string) {
	t.Helper()
	if !failure.Retryable(err) || err == nil || !strings.Contains(err.Error(), failure.ErrUnexpected.Error()) ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want ErrUnexpected with %q", err, want)
	}
}
