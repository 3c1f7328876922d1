package commands

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
)

// keyPair returns a new pair, and its public key.
func keyPair(t *testing.T, kind nkeys.PrefixByte) (nkeys.KeyPair, string) {
	t.Helper()
	pair, err := nkeys.CreatePair(kind)
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return pair, public
}

// A run on a server whose users have credentials, with only the rights that README.md names.
func TestCreds(t *testing.T) {
	s := site.New(t)
	files := s.Put(3, 10)
	operator, operatorKey := keyPair(t, nkeys.PrefixByteOperator)
	account, accountKey := keyPair(t, nkeys.PrefixByteAccount)
	user, userKey := keyPair(t, nkeys.PrefixByteUser)

	accountClaims := jwt.NewAccountClaims(accountKey)
	accountClaims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
	accountJWT, err := accountClaims.Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	userClaims := jwt.NewUserClaims(userKey)
	userClaims.Pub.Allow.Add("processpool.r.>", "$KV.processpool-r.>", "$JS.ACK.processpool-r-work.>", "$JS.API.INFO")
	for _, stream := range []string{"processpool-r-work", "processpool-r-dead", "KV_processpool-r"} {
		for _, call := range []string{"$JS.API.*.*.", "$JS.API.*.MSG.*."} {
			userClaims.Pub.Allow.Add(call+stream, call+stream+".>")
		}
	}
	userClaims.Sub.Allow.Add("_INBOX.>")
	userJWT, err := userClaims.Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := user.Seed()
	if err != nil {
		t.Fatal(err)
	}
	creds, err := jwt.FormatUserConfig(userJWT, seed)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "user.creds")
	if err := os.WriteFile(file, creds, 0o600); err != nil {
		t.Fatal(err)
	}
	resolver := &server.MemAccResolver{}
	if err := resolver.Store(accountKey, accountJWT); err != nil {
		t.Fatal(err)
	}
	_, systemKey := keyPair(t, nkeys.PrefixByteAccount)
	systemJWT, err := jwt.NewAccountClaims(systemKey).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	if err := resolver.Store(systemKey, systemJWT); err != nil {
		t.Fatal(err)
	}
	claims := jwt.NewOperatorClaims(operatorKey)
	url := "nats://" + natsd(t, &server.Options{
		JetStream: true, TrustedOperators: []*jwt.OperatorClaims{claims}, AccountResolver: resolver, SystemAccount: systemKey,
	})
	args := []string{"run", "s3://b/p/", s.Dir, "--nats", url, "--run", "r", "--workers", "1", "--endpoint", s.Origin.URL()}
	_, stderr := s.Fleet(2, args...)
	s.Text("no credentials", stderr, "refuses the credentials", "--creds FILE")
	s.Fleet(0, append(args, "--creds", file)...)
	s.Whole(s.Dir, files)
	s.Fleet(0, "dead", "--nats", url, "--run", "r", "--creds", file)
	s.Fleet(0, "remove", "--nats", url, "--run", "r", "--creds", file)
}
