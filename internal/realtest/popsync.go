package realtest

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Build compiles popsync into dir, as `make build` does or with the race detector.
func Build(dir string, race bool) (Popsync, error) {
	if err := lookAtSources(); err != nil {
		return "", err
	}
	out := filepath.Join(dir, "popsync")
	args, cgo := []string{"build", "-trimpath", "-buildvcs=false", "-o", out}, "CGO_ENABLED=0"
	if race {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "popsync/cmd/popsync")...)
	cmd.Env = append(os.Environ(), cgo)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build popsync: %w\n%s", err, said)
	}
	return Popsync(out), nil
}

// lookAtSources opens every folder of the module: `go test` repeats what it remembers of a test
// until a file or folder that the test opened is another, and knows nothing of what `go build` reads.
func lookAtSources() error {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("go env GOMOD: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (strings.HasPrefix(d.Name(), ".") || path == filepath.Join(root, "build")) {
			return fs.SkipDir
		}
		return err
	})
}

// Popsync is the path of the built program.
type Popsync string

// Start runs a command of popsync with the configuration and an empty environment: nothing of
// who runs the test gets in.
func (p Popsync) Start(config, command string, args ...string) (*Child, error) {
	cmd := exec.Command(string(p), append([]string{command, "--config", config}, args...)...)
	cmd.Dir = filepath.Dir(config)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "LANG=C.UTF-8"}
	return Start(cmd)
}

// An Account is one of popsync's configuration; popsync's default holds for what is zero.
type Account struct {
	Name     string
	Host     string
	Port     int
	TLS      string
	CA       string
	User     string
	Password string // instead of Password
	Keep     bool   // popsync's default is true; here it is always written
	Auth     string

	Pipelining string // auto, always, never

	Interval time.Duration
	Timeout  time.Duration
	Maildir  string
	MDA      []string // instead of a Maildir

	MDATimeout  time.Duration
	MaxAttempts int // of the MDA

	ClientCert, ClientKey string // files, or ""
}

// WriteConfig writes popsync's configuration; its state lies beside it.
func WriteConfig(name string, accounts ...Account) error {
	var b strings.Builder
	fmt.Fprintf(&b, "state: %q\naccounts:\n", filepath.Join(filepath.Dir(name), "state", "state.db"))
	for _, a := range accounts {
		a.write(&b)
	}
	return os.WriteFile(name, []byte(b.String()), 0o600)
}

func (a Account) write(b *strings.Builder) {
	fmt.Fprintf(b, "  - name: %q\n", a.Name)
	key := func(name string, value any) { fmt.Fprintf(b, "    %s: %v\n", name, value) }
	key("host", quote(a.Host))
	key("port", a.Port)
	key("tls", a.TLS)
	if a.CA != "" {
		key("tls_ca_file", quote(a.CA))
	}
	key("username", quote(a.User))
	if a.Auth != "external" {
		key("password", quote(cmp.Or(a.Password, Password)))
	}
	if a.Auth != "" {
		key("auth", a.Auth)
	}
	if a.ClientCert != "" {
		key("tls_client_cert", quote(a.ClientCert))
		key("tls_client_key", quote(a.ClientKey))
	}
	key("keep", a.Keep)
	if a.Pipelining != "" {
		key("pipelining", a.Pipelining)
	}
	if a.Interval != 0 {
		key("interval", a.Interval)
	}
	if a.Timeout != 0 {
		key("timeout", a.Timeout)
	}
	switch {
	case len(a.MDA) > 0:
		mda := "mda: [" + strings.Join(quoteAll(a.MDA), ", ") + "]"
		if a.MDATimeout != 0 {
			mda += fmt.Sprintf(", timeout: %v", a.MDATimeout)
		}
		if a.MaxAttempts != 0 {
			mda += fmt.Sprintf(", max_attempts: %d", a.MaxAttempts)
		}
		key("deliver", "{"+mda+"}")
	default:
		key("deliver", fmt.Sprintf("{maildir: %q}", a.Maildir))
	}
}

// quote makes s a string of YAML.
func quote(s string) string { return fmt.Sprintf("%q", s) }

func quoteAll(all []string) []string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return quoted
}
