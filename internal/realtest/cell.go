package realtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A cell is a root of its own for a server that cannot be installed beside the others: the
// machine's files, over these the unpacked packages, over these what the server's set-up writes,
// which is gone with the cell. It has processes of its own too: the end of the first one ends
// all. The network is the machine's.
type cell struct {
	product  string // its folder among the unpacked packages
	folder   string // of the test; mail/ in it is /srv/mail inside, sys/ is /srv/sys
	plain    int
	implicit int
	first    *Child
	log      sysLog
	box      mailboxes

	closeFirst io.Closer // what has to end before the cell, or nil
}

// mailboxes are where a server's mail is put.
type mailboxes interface {
	Put(user string, messages ...Message) (Census, error)
}

// Put is [Server].Put.
func (c *cell) Put(user string, messages ...Message) (Census, error) {
	return c.box.Put(user, messages...)
}

// Holds is [Server].Holds, as the server tells it.
func (c *cell) Holds(user string) (Census, error) {
	held, err := retrieve(c, user)
	return held.census(), err
}

func asIs(message []byte) []byte { return message }

// enter makes the cell's root and starts its set-up there, as the first of the cell's processes.
// $1 is the test's folder, $2 that of the unpacked packages.
const enter = `
set -eu
mount --make-rprivate /
mkdir "$1/cell"
mount -t tmpfs -o mode=755 cell "$1/cell"
cd "$1/cell"
mkdir upper work root
cp -a "$2/." upper # no layer may lie in another one
cp -a "$1/own/." upper
mount -t overlay -o "lowerdir=/,upperdir=$1/cell/upper,workdir=$1/cell/work" overlay root
mount -t proc proc root/proc
for dir in dev run tmp srv; do mount -t tmpfs -o mode=755 "$dir" "root/$dir"; done
chmod 1777 root/tmp
for device in null zero full random urandom tty; do
	: >"root/dev/$device"
	mount --bind "/dev/$device" "root/dev/$device"
done
mkdir root/dev/shm root/srv/mail root/srv/sys
chmod 1777 root/dev/shm
mount --bind "$1/mail" root/srv/mail
mount --bind "$1/sys" root/srv/sys
ln -s /srv/sys/log root/dev/log
exec chroot root /bin/sh -c 'set -eu
trap "exit 0" TERM
. /own.sh
echo ready >/srv/sys/ready
sleep infinity & wait'
`

// unpacked is the folder with the unpacked packages of product.
func unpacked(product string) (string, error) {
	servers := os.Getenv("POPSYNC_SERVERS")
	if servers == "" {
		gomod, err := exec.Command("go", "env", "GOMOD").Output()
		if err != nil {
			return "", fmt.Errorf("go env GOMOD: %w", err)
		}
		servers = filepath.Join(filepath.Dir(strings.TrimSpace(string(gomod))), "build", "servers")
	}
	folder := filepath.Join(servers, product)
	if _, err := os.Stat(filepath.Join(folder, "version")); err != nil {
		return "", fmt.Errorf("%s is not unpacked in %s: make servers, as root", product, servers)
	}
	if os.Getuid() != 0 {
		return "", fmt.Errorf("%s needs a root of its own, and only root can make one", product)
	}
	return folder, nil
}

// newCell makes the folder: mail, certificates, and a layer of own files with users in it.
func newCell(product string, users []string) (_ *cell, err error) {
	folder, err := os.MkdirTemp("", "popsync-"+product+"-")
	if err != nil {
		return nil, err
	}
	c := &cell{product: product, folder: folder}
	defer func() {
		if err != nil {
			c.Stop()
		}
	}()
	if err := os.Chmod(folder, 0o755); err != nil {
		return nil, err
	}
	for _, sub := range []string{"own", "mail", "sys"} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o755); err != nil {
			return nil, err
		}
	}
	if err := makeCertificates(folder); err != nil {
		return nil, err
	}
	pair, err := readAll(filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"))
	if err != nil {
		return nil, err
	}
	if err := c.own("etc/server.pem", pair); err != nil {
		return nil, err
	}
	if err := c.addUsers(users); err != nil {
		return nil, err
	}
	if c.plain, err = freePort(); err != nil {
		return nil, err
	}
	c.implicit, err = freePort()
	return c, err
}

func readAll(names ...string) (string, error) {
	var all strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		all.Write(content)
	}
	return all.String(), nil
}

// own writes a file of the cell, which others may read.
func (c *cell) own(name, content string) error {
	name = filepath.Join(c.folder, "own", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

// start enters the cell and waits until setUp, a script, has started the server there.
func (c *cell) start(setUp string) error {
	if err := c.own("own.sh", setUp); err != nil {
		return err
	}
	packages, err := unpacked(c.product)
	if err != nil {
		return err
	}
	if err := c.log.listen(filepath.Join(c.folder, "sys", "log")); err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", enter, "cell", c.folder, packages)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.Dir = "/"
	isolate(cmd)
	c.first, err = Start(cmd)
	if err != nil {
		return fmt.Errorf("a root of its own: %w", err)
	}
	return c.await(func() error {
		_, err := os.Stat(filepath.Join(c.folder, "sys", "ready"))
		return err
	})
}

// await returns once ready does not fail any more.
func (c *cell) await(ready func() error) error {
	var err error
	for range 300 {
		if err = ready(); err == nil {
			return nil
		}
		select {
		case <-c.first.Done():
			return fmt.Errorf("it ended: %s%s", c.first.Stdout(), tail(c.Log(), 20))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, tail(c.Log(), 20))
}

// serve is start, and waits until the server greets.
func (c *cell) serve(setUp string) error {
	if err := c.start(setUp); err != nil {
		return err
	}
	return c.awaitGreeting()
}

// inCell makes a cell for a product and has furnish start the server in it. It tries again where
// somebody else took a port that was free just before.
func inCell(product string, users []string, furnish func(c *cell) error) (Server, error) {
	var err error
	for range 3 {
		var c *cell
		if c, err = newCell(product, users); err != nil {
			break
		}
		if err = furnish(c); err == nil {
			return c, nil
		}
		err = errors.Join(err, c.Stop())
	}
	return nil, fmt.Errorf("start %s: %w", product, err)
}

// awaitGreeting returns once the server greets.
func (c *cell) awaitGreeting() error {
	return c.await(func() error { return greets(net.JoinHostPort(Host(1), strconv.Itoa(c.plain))) })
}

// Port is [Server].Port.
func (c *cell) Port(tls string) int {
	if tls == Implicit {
		return c.implicit
	}
	return c.plain
}

// CA is [Server].CA.
func (c *cell) CA() string { return filepath.Join(c.folder, "ca.pem") }

// Log is [Server].Log: what came for syslog, and, once all is over, on standard error.
func (c *cell) Log() string {
	said := c.log.String()
	if c.first != nil {
		said += c.first.Stderr()
	}
	return said
}

// Stop is [Server].Stop.
func (c *cell) Stop() error {
	var err error
	if c.closeFirst != nil {
		err = c.closeFirst.Close()
	}
	if c.first != nil {
		err = errors.Join(err, c.first.Stop(5*time.Second))
	}
	c.log.close()
	return errors.Join(err, os.RemoveAll(c.folder))
}

// A sysLog keeps what is written to a socket such as /dev/log.
type sysLog struct {
	conn *net.UnixConn
	done chan struct{}

	mu   sync.Mutex
	said strings.Builder
}

func (l *sysLog) listen(name string) (err error) {
	l.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	l.done = make(chan struct{})
	go func() {
		defer close(l.done)
		entry := make([]byte, 8<<10)
		for {
			n, err := l.conn.Read(entry)
			if err != nil {
				return
			}
			l.add(strings.TrimRight(string(entry[:n]), "\x00\n"))
		}
	}()
	return os.Chmod(name, 0o666)
}

func (l *sysLog) add(entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said.WriteString(entry + "\n")
}

func (l *sysLog) close() {
	if l.conn != nil {
		l.conn.Close()
		<-l.done
	}
}

func (l *sysLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}

// tail is the last n lines of s.
func tail(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n-1):], "")
}
