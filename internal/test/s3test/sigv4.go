package s3test

import (
	"context"
	"crypto/hmac"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// keyring holds the credentials that the server accepts. While it has none, the server does not
// check signatures.
type keyring struct {
	mu struct {
		sync.Mutex
		now     key
		expired map[string]bool // formerly accepted session tokens
	}
}

type key struct{ access, secret, token string }

// SetCredentials sets the only credentials that the server accepts from now on, with a session
// token unless it is "". The server answers requests with a formerly accepted session token with
// ExpiredToken.
func (s *Server) SetCredentials(access, secret, token string) {
	k := &s.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mu.expired == nil {
		k.mu.expired = map[string]bool{}
	}
	if k.mu.now.token != "" {
		k.mu.expired[k.mu.now.token] = true
	}
	delete(k.mu.expired, token)
	k.mu.now = key{access, secret, token}
}

func (k *keyring) current() key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mu.now
}

func (k *keyring) isExpired(token string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mu.expired[token]
}

// authorization is a parsed header "AWS4-HMAC-SHA256 Credential=.., ..".
type authorization struct {
	access, region, service string
	headers                 []string
	signature               string
}

func parseAuthorization(header string) (a authorization, ok bool) {
	rest, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return a, false
	}
	for field := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 {
				return a, false
			}
			a.access, a.region, a.service = scope[0], scope[2], scope[3]
		case "SignedHeaders":
			a.headers = strings.Split(value, ";")
		case "Signature":
			a.signature = value
		}
	}
	return a, a.access != "" && a.signature != "" && a.headers != nil
}

// check verifies the signature of a request (version 4, in the Authorization header).
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func (k *keyring) check(r *http.Request) *apiError {
	now := k.current()
	if now.access == "" {
		return nil
	}
	header := r.Header.Get("Authorization")
	if header == "" {
		return errAccessDenied
	}
	auth, ok := parseAuthorization(header)
	if !ok {
		return &apiError{400, "AuthorizationHeaderMalformed", "The authorization header is malformed."}
	}
	token := r.Header.Get("X-Amz-Security-Token")
	switch {
	case token != now.token && k.isExpired(token):
		return errExpiredToken
	case auth.access != now.access:
		return errUnknownKey
	case token != now.token:
		return errInvalidToken
	}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return errAccessDenied.with("AWS authentication requires a valid Date or x-amz-date header")
	}
	if time.Since(signed).Abs() > 15*time.Minute {
		return errSkewed
	}
	want, err := now.signature(r, auth, signed)
	if err != nil || !hmac.Equal([]byte(want), []byte(auth.signature)) {
		return errSignature
	}
	return nil
}

// signature returns the signature of a copy of r with only the headers that the client signed.
func (k key) signature(r *http.Request, auth authorization, at time.Time) (string, error) {
	u := *r.URL
	signed := &http.Request{Method: r.Method, URL: &u, Host: r.Host, Header: http.Header{}}
	for _, name := range auth.headers {
		switch name {
		case "host":
		case "content-length":
			signed.ContentLength = r.ContentLength
		default:
			name = http.CanonicalHeaderKey(name)
			signed.Header[name] = r.Header[name]
		}
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // S3 signs the path as sent
	})
	err := signer.SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: k.access, SecretAccessKey: k.secret, SessionToken: k.token},
		signed, r.Header.Get("X-Amz-Content-Sha256"), auth.service, auth.region, at)
	if err != nil {
		return "", err
	}
	got, _ := parseAuthorization(signed.Header.Get("Authorization"))
	return got.signature, nil
}
