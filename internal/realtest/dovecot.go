package realtest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// Dovecot is a Dovecot 2.3, run by whoever runs the test: root, or an ordinary user.
type Dovecot struct {
	store
	folder   string
	plain    int
	implicit int
	master   *Child
}

// dovecotConf lets many log in from one address, does not delay a thing, and leaves it to the
// kernel when mail is written: what a crash does to the server is not what is tested.
var dovecotConf = template.Must(template.New("dovecot.conf").Parse(`
base_dir = {{.Folder}}/run
state_dir = {{.Folder}}/state
log_path = {{.Folder}}/log
protocols = pop3
listen = {{.Listen}}
{{if .User}}
default_login_user = {{.User}}
default_internal_user = {{.User}}
default_internal_group = {{.Group}}
{{end}}
ssl = yes
ssl_cert = <{{.Folder}}/cert.pem
ssl_key = <{{.Folder}}/key.pem
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_fsync = never
mail_location = maildir:%h/Maildir
mail_max_userip_connections = 0
first_valid_uid = 1
default_process_limit = 200
default_client_limit = 1000
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {{.Folder}}/users
}
userdb {
  driver = passwd-file
  args = username_format=%u {{.Folder}}/users
}
service pop3-login {
  service_count = 0
  process_limit = 4
  {{if .User}}chroot ={{end}}
  inet_listener pop3 {
    port = {{.Plain}}
  }
  inet_listener pop3s {
    port = {{.Implicit}}
    ssl = yes
  }
}
service auth {
  client_limit = 6000
}
service anvil {
  client_limit = 1000
  {{if .User}}chroot ={{end}}
}
service stats {
  {{if .User}}chroot ={{end}}
}
`))

// StartDovecot starts one and waits until it answers. It tries again where somebody else took a
// port that was free just before.
func StartDovecot(users ...string) (Server, error) {
	var err error
	for range 3 {
		var d *Dovecot
		if d, err = startDovecot(users); err == nil {
			return d, nil
		}
	}
	return nil, fmt.Errorf("start dovecot: %w", err)
}

func startDovecot(users []string) (_ *Dovecot, err error) {
	folder, err := os.MkdirTemp("", "popsync-dovecot-")
	if err != nil {
		return nil, err
	}
	d := &Dovecot{folder: folder, store: store{dir: filepath.Join(folder, "mail"), uid: os.Getuid(), gid: os.Getgid()}}
	defer func() {
		if err != nil {
			d.Stop()
		}
	}()
	if d.uid == 0 {
		d.uid, d.gid = 65534, 65534 // Dovecot gives no mail to root
	}
	if err := d.furnish(users); err != nil {
		return nil, err
	}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d, d.await()
}

// furnish fills the folder: certificates, configuration, users and their mailboxes.
func (d *Dovecot) furnish(users []string) (err error) {
	if err := os.Chmod(d.folder, 0o755); err != nil { // the owner of the mailboxes has to get in
		return err
	}
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return err
	}
	if err := makeCertificates(d.folder); err != nil {
		return err
	}
	if d.plain, err = freePort(); err != nil {
		return err
	}
	if d.implicit, err = freePort(); err != nil {
		return err
	}
	if err := d.configure(); err != nil {
		return err
	}
	var passwd strings.Builder
	for _, name := range users {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s:%d:%d::%s\n", name, Password, d.uid, d.gid, filepath.Join(d.dir, name))
		if err := d.add(name); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.folder, "users"), []byte(passwd.String()), 0o644)
}

func (d *Dovecot) configure() error {
	var listen []string
	for n := range Hosts {
		listen = append(listen, Host(n+1))
	}
	values := struct {
		Folder, Listen, User, Group string
		Plain, Implicit             int
	}{Folder: d.folder, Listen: strings.Join(listen, ", "), Plain: d.plain, Implicit: d.implicit}
	if os.Getuid() != 0 {
		var err error
		if values.User, values.Group, err = userAndGroup(); err != nil {
			return err
		}
	}
	conf, err := os.Create(filepath.Join(d.folder, "dovecot.conf"))
	if err != nil {
		return err
	}
	return errors.Join(dovecotConf.Execute(conf, values), conf.Close())
}

func (d *Dovecot) start() error {
	path, err := lookPath("dovecot")
	if err != nil {
		return err
	}
	d.master, err = Start(exec.Command(path, "-F", "-c", filepath.Join(d.folder, "dovecot.conf")))
	return err
}

// await returns once the server greets at its last address.
func (d *Dovecot) await() error {
	addr := net.JoinHostPort(Host(Hosts), strconv.Itoa(d.plain))
	var err error
	for range 100 {
		if err = greets(addr); err == nil {
			return nil
		}
		select {
		case <-d.master.Done():
			return fmt.Errorf("it ended: %s", d.Log())
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%w; its log: %s", err, d.Log())
}

func greets(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+OK") {
		err = fmt.Errorf("%s greets with %q", addr, line)
	}
	return err
}

// Log is [Server].Log, with what Dovecot wrote to standard error once it is over.
func (d *Dovecot) Log() string {
	log, err := os.ReadFile(filepath.Join(d.folder, "log"))
	if err != nil {
		return err.Error()
	}
	return string(log) + d.master.Stderr()
}

// Port is [Server].Port.
func (d *Dovecot) Port(tls string) int {
	if tls == Implicit {
		return d.implicit
	}
	return d.plain
}

// CA is [Server].CA.
func (d *Dovecot) CA() string { return filepath.Join(d.folder, "ca.pem") }

// Stop is [Server].Stop.
func (d *Dovecot) Stop() error {
	var err error
	if d.master != nil {
		err = d.master.Stop(5 * time.Second)
	}
	return errors.Join(err, os.RemoveAll(d.folder))
}

// freePort is a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(Host(1), "0"))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// userAndGroup names who runs the test.
func userAndGroup() (name, group string, err error) {
	u, err := user.Current()
	if err != nil {
		return "", "", err
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return "", "", err
	}
	return u.Username, g.Name, nil
}
