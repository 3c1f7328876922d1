package s3test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestSignature(t *testing.T) {
	s := start(t, func(o *Options) { o.AccessKey, o.SecretKey = "AK", "SK" })
	s.Put("b", "k", []byte("x"))
	as := func(access, secret, token string) error {
		client := s.Client(once, func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(access, secret, token)
		})
		_, err := client.GetObject(context.Background(), &s3.GetObjectInput{
			Bucket: aws.String("b"), Key: aws.String("k"), Range: aws.String("bytes=0-0"), IfMatch: aws.String("*"),
		})
		return err
	}
	if err := as("AK", "SK", ""); err != nil {
		t.Errorf("right credentials: %v", err)
	}
	wantError(t, as("AK", "wrong", ""), 403, "SignatureDoesNotMatch")
	wantError(t, as("unknown", "SK", ""), 403, "InvalidAccessKeyId")
	wantError(t, as("AK", "SK", "token"), 400, "InvalidToken")

	s.SetCredentials("AK2", "SK2", "token2")
	if err := as("AK2", "SK2", "token2"); err != nil {
		t.Errorf("right session credentials: %v", err)
	}
	wantError(t, as("AK", "SK", ""), 403, "InvalidAccessKeyId")
	wantError(t, as("AK2", "SK2", ""), 400, "InvalidToken")

	s.SetCredentials("AK3", "SK3", "token3")
	wantError(t, as("AK2", "SK2", "token2"), 400, "ExpiredToken")
	wantError(t, as("AK3", "SK3", "token2"), 400, "ExpiredToken")
	if _, _, err := get(s); err != nil {
		t.Errorf("Config after SetCredentials: %v", err)
	}

	_, err := s.Client(once, func(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} }).
		GetObject(context.Background(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	wantError(t, err, 403, "AccessDenied")
}

func TestSignatureCoversRequest(t *testing.T) {
	s := start(t, func(o *Options) { o.AccessKey, o.SecretKey = "AK", "SK" })
	s.Put("b", "k", []byte("x"))
	if _, _, err := get(s); err != nil {
		t.Fatal(err)
	}
	signed := s.Requests()[0].Header
	replay := func(path string, header ...string) int {
		var h []string
		for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Checksum-Mode",
			"Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"} {
			if v := signed.Get(name); v != "" {
				h = append(h, name, v)
			}
		}
		resp, _ := send(t, s, "GET", path, append(h, header...)...)
		return resp.StatusCode
	}
	if got := replay("/b/k?x-id=GetObject"); got != 200 {
		t.Errorf("the same request: got status %d, want 200", got)
	}
	for name, got := range map[string]int{
		"another key":   replay("/b/l?x-id=GetObject"),
		"another query": replay("/b/k?versionId=null"),
		"another date":  replay("/b/k?x-id=GetObject", "X-Amz-Date", "20200101T000000Z"),
		"no date":       replay("/b/k?x-id=GetObject", "X-Amz-Date", ""),
	} {
		if got != 403 {
			t.Errorf("%s: got status %d, want 403", name, got)
		}
	}
	if got := replay("/b/k", "Authorization", "Basic eDp5"); got != 400 {
		t.Errorf("another scheme: got status %d, want 400", got)
	}
}
