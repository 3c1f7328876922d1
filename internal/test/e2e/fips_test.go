package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/s3processpool/processpool"
	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

func init() { harness.Register("fips", fips) }

// fips URL SECRET DIR KEY... is an application that downloads objects, and prints what became of
// each: with VerifyRequired those whose keys begin with "required", and with Expect those whose
// keys begin with "expect".
func fips(args []string) error {
	cfg := aws.Config{
		Region: s3test.Region, BaseEndpoint: &args[0],
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", args[1], ""),
	}
	d, err := processpool.NewDownloader(cfg, harness.Multipart(100_000, 100_000), harness.Processes(2), func(c *processpool.Config) {
		c.ClientOptions = []func(*s3.Options){func(o *s3.Options) { o.UsePathStyle = true }}
	})
	if err != nil {
		return err
	}
	for _, key := range args[3:] {
		f := d.DownloadFile(context.Background(), "b", key, filepath.Join(args[2], key), func(o *processpool.DownloadOptions) {
			if strings.HasPrefix(key, "required") {
				o.Verify = processpool.VerifyRequired
			}
			if algorithm, ok := strings.CutPrefix(key, "expect-"); ok {
				value := map[string]string{"MD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "XXHASH64": "70bbN1HY6Zk="}[algorithm] // of no bytes
				o.Expect = []processpool.Checksum{{Algorithm: types.ChecksumAlgorithm(algorithm), Value: value}}
			}
		})
		err, o := f.Result(), f.Object()
		fmt.Printf("%s: %q of %d, error %v\n", key, o.Verified, len(o.Checksums), err)
	}
	return d.Shutdown()
}

// runFIPS runs the application with GODEBUG=fips140=only, and returns what it prints.
func runFIPS(t *testing.T, origin *s3test.Server, secret, dir string, keys ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"fips", origin.URL(), secret, dir}, keys...)...)
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return string(out)
}

// In FIPS 140-only mode MD5 and SHA1 prove nothing, and everything else works, also signatures: see
// docs/integrity.md.
func TestFIPS(t *testing.T) {
	leak.Check(t)
	const secret = "0123456789abcdefghijABCDEFGHIJ0123456789" // as long as one of AWS
	origin := harness.StartOrigin(t, func(o *s3test.Options) { o.AccessKey, o.SecretKey = "AKIDEXAMPLE", secret })
	small, large := s3test.PatternBytes(1, 90_000), s3test.PatternBytes(2, 250_000)
	parts := s3test.WithParts(150_000, 100_000)
	const refused = "S3 keeps nothing that could verify the object: it keeps MD5 or SHA1, which FIPS 140-only mode (GODEBUG=fips140=only) refuses"
	for _, o := range []struct {
		key, alg, typ string
		content       []byte
		want          string // the end of what the application prints
	}{
		{"crc", "crc64nvme", "FULL_OBJECT", large, `"CRC64NVME full object" of 1, error <nil>`},
		{"sha256", "sha256", "COMPOSITE", large, `"SHA256 composite of 2 parts" of 1, error <nil>`},
		{"xxhash", "xxhash128", "COMPOSITE", large, `"XXHASH128 composite of 2 parts" of 1, error <nil>`},
		{"required-xxhash", "xxhash3", "FULL_OBJECT", small, `"XXHASH3 full object" of 1, error <nil>`},
		{"etag", "", "", small, `"" of 0, error <nil>`},
		{"etag-parts", "", "", large, `"" of 0, error <nil>`},
		{"md5", "md5", "FULL_OBJECT", small, `"" of 1, error <nil>`},
		{"sha1-parts", "sha1", "COMPOSITE", large, `"" of 1, error <nil>`},
		{"required-etag", "", "", small, refused},
		{"required-md5", "md5", "COMPOSITE", large, refused},
		{"required-sha1", "sha1", "FULL_OBJECT", small, refused},
		{"expect-MD5", "crc32", "FULL_OBJECT", nil, "Expect: MD5 is refused in FIPS 140-only mode (GODEBUG=fips140=only)"},
		{"expect-XXHASH64", "", "", nil, `"XXHASH64 expected" of 0, error <nil>`},
		{"empty", "", "", nil, `"" of 0, error <nil>`},
	} {
		t.Run(o.key, func(t *testing.T) {
			put := []func(*s3test.Object){s3test.WithChecksum(o.alg, o.typ)}
			if len(o.content) == len(large) {
				put = append(put, parts)
			}
			origin.Put("b", o.key, o.content, put...)
			dir := t.TempDir()
			if got := runFIPS(t, origin, secret, dir, o.key); !strings.HasSuffix(got, o.want+"\n") || strings.Count(got, "\n") > 1 {
				t.Errorf("got %s, want %s", got, o.want)
			}
			if strings.Contains(o.want, "<nil>") {
				harness.WantContent(t, filepath.Join(dir, o.key), o.content)
				leak.Files(t, dir, o.key)
			} else {
				leak.Files(t, dir)
			}
		})
	}
}

// A secret that is too short for an HMAC in FIPS 140-only mode is an error that says so.
func TestFIPSShortSecret(t *testing.T) {
	leak.Check(t)
	origin, dir := harness.StartOrigin(t), t.TempDir()
	origin.Put("b", "k", harness.Content)
	if got, want := runFIPS(t, origin, "012345678", dir, "k"), "the secret access key has 9 characters"; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := runFIPS(t, origin, "0123456789", dir, "k"), `k: "CRC64NVME full object" of 1, error <nil>`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
