package fence

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// What a worker reads. A rule on a file would be void once the file is replaced by a rename, as
// resolv.conf is by DHCP clients; therefore the rules are on directories.
var readable = []string{
	"/etc", // hosts, resolv.conf, nsswitch.conf, localtime, certificates
	// Where links of /etc/ssl/certs lead, by distribution. crypto/x509 has the list of what is
	// opened (root_linux.go).
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki", "/var/lib/ca-certificates",
	"/usr/share/zoneinfo", "/usr/lib/zoneinfo", // package time
	"/sys/kernel/mm/transparent_hugepage", // Go's runtime
}

// linked are files which may be links to another directory.
var linked = []string{
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/localtime",
	"/etc/ssl/certs", "/etc/pki/tls/certs",
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// libraries are where a program that is linked dynamically looks for its libraries (ld.so(8)).
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"}

// rules returns the rules for files. They are made anew when the last ones are older than keepRules: files
// may have been replaced since.
func (p *Plan) rules() []rule {
	rules := []rule{{p.options.Program, execute}}
	for _, path := range readable {
		rules = append(rules, rule{path, read})
	}
	for _, path := range linked {
		target, err := filepath.EvalSymlinks(path)
		if err != nil || strings.HasPrefix(target, "/etc/") {
			continue
		}
		if strings.HasPrefix(target, "/run/") {
			target = filepath.Dir(target) // systemd-resolved and others replace it there
		}
		rules = append(rules, rule{target, read})
	}
	for _, name := range []string{"SSL_CERT_FILE", "ZONEINFO"} {
		if path := os.Getenv(name); path != "" {
			rules = append(rules, rule{path, read})
		}
	}
	for _, path := range filepath.SplitList(os.Getenv("SSL_CERT_DIR")) {
		rules = append(rules, rule{path, read})
	}
	if loader := interpreter(p.options.Program); loader != "" {
		rules = append(rules, rule{loader, execute})
		for _, path := range libraries {
			rules = append(rules, rule{path, read})
		}
		if !p.options.Foreign {
			rules = append(rules, loaded()...)
		}
	}
	return rules
}

// loaded returns rules for the libraries of this process, wherever they are (LD_LIBRARY_PATH,
// RUNPATH, LD_PRELOAD). A worker of the same program loads them, too.
func loaded() (rules []rule) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer maps.Close()
	var seen []string
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		_, path, found := strings.Cut(lines.Text(), "/")
		path = "/" + strings.TrimSuffix(path, " (deleted)")
		if !found || !strings.Contains(path, ".so") || slices.Contains(seen, path) {
			continue
		}
		seen = append(seen, path)
		rules = append(rules, rule{path, unix.LANDLOCK_ACCESS_FS_READ_FILE})
	}
	return rules
}

// portRules returns the rules for TCP ports. DNS uses TCP for long answers. Go finds out whether
// there is IPv6 by binding a socket to port 0 (ipStackCapabilities in package net); a worker cannot
// listen on it, for the filter allows no listen.
func (p *Plan) portRules() []portRule {
	rules := []portRule{{unix.LANDLOCK_ACCESS_NET_BIND_TCP, 0}, {unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 53}}
	for _, port := range p.options.Ports {
		rules = append(rules, portRule{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)})
	}
	return rules
}
