package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// insidePod is the command of the process that sets a pod up from the inside.
const insidePod = "inside-pod"

// Pod is a process with a network of its own, which has the loopback interface alone, and with files of its own: this
// program, what Files lists, and an empty folder /tmp.
type Pod struct {
	// Command is the program's name and its arguments.
	Command []string `json:"command"`
	// Environment are its variables.
	Environment map[string]string `json:"environment"`
	// Files are contents by absolute path.
	Files map[string]string `json:"files"`
	// Inbound are ports of the pod by the address outside that leads to them.
	Inbound map[string]int `json:"inbound"`
	// Outbound are addresses outside by the port of the pod that leads to them.
	Outbound map[int]string `json:"outbound"`
}

// runPod runs the pod that the file in the first argument describes, in namespaces of its own, until it ends. It passes
// signals on to it.
func runPod() error {
	if len(os.Args) != 2 {
		return errors.New("the argument must be the file that describes the pod")
	}
	pod, err := readPod(os.Args[1])
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "pod-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	for address, port := range pod.Inbound {
		if err := forward("tcp", address, "unix", inboundSocket(folder, port)); err != nil {
			return err
		}
	}
	for port, address := range pod.Outbound {
		if err := forward("unix", outboundSocket(folder, port), "tcp", address); err != nil {
			return err
		}
	}
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	inside := exec.Command("/proc/self/exe", insidePod, os.Args[1], folder)
	inside.SysProcAttr = attributes
	return runToEnd(inside)
}

// runInsidePod runs in the namespaces of the pod: it brings the network up, makes the root folder, and runs the program.
func runInsidePod() error {
	pod, err := readPod(os.Args[1])
	if err != nil {
		return err
	}
	folder := os.Args[2]
	if err := bringUpLoopback(); err != nil {
		return fmt.Errorf("cannot bring up the loopback interface: %w", err)
	}
	for _, port := range pod.Inbound {
		if err := forward("unix", inboundSocket(folder, port), "tcp", loopback(port)); err != nil {
			return err
		}
	}
	for port := range pod.Outbound {
		if err := forward("tcp", loopback(port), "unix", outboundSocket(folder, port)); err != nil {
			return err
		}
	}
	root, err := makeRoot(folder, pod.Files)
	if err != nil {
		return fmt.Errorf("cannot make the root folder: %w", err)
	}
	program := exec.Command("/program")
	program.Args = pod.Command
	program.Dir = "/"
	program.Env = []string{}
	for name, value := range pod.Environment {
		program.Env = append(program.Env, name+"="+value)
	}
	program.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL}
	return runToEnd(program)
}

func readPod(path string) (*Pod, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pod := &Pod{}
	if err := json.Unmarshal(text, pod); err != nil {
		return nil, err
	}
	if len(pod.Command) == 0 {
		return nil, errors.New("the pod has no command")
	}
	return pod, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// A path of a socket may have 107 bytes.
func inboundSocket(folder string, port int) string {
	return filepath.Join(folder, fmt.Sprintf("i%d", port))
}

func outboundSocket(folder string, port int) string {
	return filepath.Join(folder, fmt.Sprintf("o%d", port))
}

// makeRoot mounts a folder in memory with this program and the files.
func makeRoot(folder string, files map[string]string) (string, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return "", err
	}
	root := filepath.Join(folder, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return "", err
	}
	if err := unix.Mount("pod", root, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return "", err
	}
	if err := os.Mkdir(filepath.Join(root, "tmp"), 0o1777); err != nil {
		return "", err
	}
	program := filepath.Join(root, "program")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		return "", err
	}
	executable, err := os.Executable()
	if err != nil {
		return "", err
	}
	if err := unix.Mount(executable, program, "", unix.MS_BIND, ""); err != nil {
		return "", err
	}
	for path, content := range files {
		path = filepath.Join(root, filepath.Clean("/"+path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	return root, nil
}

func bringUpLoopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// forward accepts connections at one address, and connects each one to another.
func forward(fromNetwork, from, toNetwork, to string) error {
	listener, err := net.Listen(fromNetwork, from)
	if err != nil {
		return err
	}
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go connect(accepted, toNetwork, to)
		}
	}()
	return nil
}

func connect(accepted net.Conn, network, address string) {
	defer accepted.Close()
	dialled, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer dialled.Close()
	ended := make(chan struct{}, 2)
	go copyTo(dialled, accepted, ended)
	go copyTo(accepted, dialled, ended)
	<-ended
	<-ended
}

// copyTo copies until the end, and passes the end on.
func copyTo(to, from net.Conn, ended chan<- struct{}) {
	_, _ = io.Copy(to, from)
	if writer, ok := to.(interface{ CloseWrite() error }); ok {
		_ = writer.CloseWrite()
	}
	ended <- struct{}{}
}

// runToEnd runs a command with the standard streams of this process, passes SIGTERM and SIGINT on to it, and ends this
// process with its exit code if that is not 0.
func runToEnd(command *exec.Cmd) error {
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	// The kernel sends the death signal when the thread that has started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		return err
	}
	go func() {
		for received := range signals {
			_ = command.Process.Signal(received)
		}
	}()
	err := command.Wait()
	signal.Stop(signals)
	return err
}
