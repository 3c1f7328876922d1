package origin

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Hello is the first line that the module's own origin prints.
type Hello struct{ URL, CA string }

// startGo starts the module's own origin.
func startGo(ctx context.Context, site *Site, dir string, options Options) (*Origin, error) {
	list, err := site.writeList()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, options.Binary, "-site", list,
		"-tls="+strconv.FormatBool(options.TLS), "-delay", options.Delay.String(),
		"-rate", strconv.FormatInt(options.Rate, 10), "-stall", strconv.FormatInt(options.Stall, 10))
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must reach this process only
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &Origin{Name: "internal/test/s3test on net/http"}
	o.stop = func() error {
		in.Close()
		return cmd.Wait()
	}
	words := json.NewDecoder(bufio.NewReader(out))
	var hello Hello
	if err := words.Decode(&hello); err != nil {
		o.stop()
		return nil, fmt.Errorf("%s printed no address: %w", options.Binary, err)
	}
	o.URL = hello.URL
	if hello.CA != "" {
		o.CA = filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(o.CA, []byte(hello.CA), 0o644); err != nil {
			o.stop()
			return nil, err
		}
	}
	o.requests = func() (n int, err error) {
		if _, err := in.Write([]byte("\n")); err != nil {
			return 0, err
		}
		return n, words.Decode(&n)
	}
	return o, nil
}
