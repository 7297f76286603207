// TEST ONLY. A CSI driver whose volumes and snapshots are folders of the node: a snapshot is a copy. It stands in for a
// cloud's driver, behind the real csi-provisioner, csi-snapshotter, snapshot-controller and kubelet.
//
// Usage: folder-driver NAME NODE FOLDER SOCKET REGISTRATION-SOCKET
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedNodeServer
	registration.UnimplementedRegistrationServer
	name, node, folder, socket string
}

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: folder-driver NAME NODE FOLDER SOCKET REGISTRATION-SOCKET")
	}
	d := &driver{name: os.Args[1], node: os.Args[2], folder: os.Args[3], socket: os.Args[4]}
	for _, kind := range []string{"volumes", "snapshots"} {
		must(os.MkdirAll(filepath.Join(d.folder, kind), 0o755))
	}
	go serve(d.socket, func(s *grpc.Server) {
		csi.RegisterIdentityServer(s, d)
		csi.RegisterControllerServer(s, d)
		csi.RegisterNodeServer(s, d)
	})
	serve(os.Args[5], func(s *grpc.Server) { registration.RegisterRegistrationServer(s, d) })
}

func serve(socket string, register func(*grpc.Server)) {
	must(os.MkdirAll(filepath.Dir(socket), 0o755))
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	must(err)
	server := grpc.NewServer(grpc.UnaryInterceptor(logged))
	register(server)
	must(server.Serve(listener))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func logged(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	answer, err := next(ctx, request)
	if err != nil {
		log.Println(info.FullMethod, err)
	}
	return answer, err
}

// What the kubelet asks of a plugin.

func (d *driver) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: d.name, Endpoint: d.socket, SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (d *driver) NotifyRegistrationStatus(_ context.Context, s *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !s.PluginRegistered {
		log.Println("the kubelet refused:", s.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}

// Who it is.

func (d *driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: d.name, VendorVersion: "1"}, nil
}

func (d *driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	controller := &csi.PluginCapability{Type: &csi.PluginCapability_Service_{
		Service: &csi.PluginCapability_Service{Type: csi.PluginCapability_Service_CONTROLLER_SERVICE},
	}}
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{controller}}, nil
}

func (d *driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}

// Volumes and snapshots, each a folder named after what asks for it.

func (d *driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	types := []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
	}
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, t := range types {
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: t}},
		})
	}
	return answer, nil
}

func (d *driver) volume(id string) string {
	return filepath.Join(d.folder, "volumes", filepath.Base(id))
}
func (d *driver) snapshot(id string) string {
	return filepath.Join(d.folder, "snapshots", filepath.Base(id))
}

func (d *driver) CreateVolume(_ context.Context, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	id := r.GetName()
	if source := r.GetVolumeContentSource().GetSnapshot().GetSnapshotId(); source != "" {
		if err := copyOnce(d.snapshot(source), d.volume(id)); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(d.volume(id), 0o777); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	} else if err := os.Chmod(d.volume(id), 0o777); err != nil { // whatever the umask
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.CreateVolumeResponse{Volume: &csi.Volume{
		VolumeId: id, CapacityBytes: r.GetCapacityRange().GetRequiredBytes(), ContentSource: r.GetVolumeContentSource(),
	}}, nil
}

func (d *driver) DeleteVolume(_ context.Context, r *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	return &csi.DeleteVolumeResponse{}, os.RemoveAll(d.volume(r.GetVolumeId()))
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, r *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	return &csi.ValidateVolumeCapabilitiesResponse{
		Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{VolumeCapabilities: r.GetVolumeCapabilities()},
	}, nil
}

// A class of snapshots with the parameter `refuse` fails with its words, so that failures can be shown.
func (d *driver) CreateSnapshot(_ context.Context, r *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if words := r.GetParameters()["refuse"]; words != "" {
		return nil, status.Error(codes.FailedPrecondition, words)
	}
	id := r.GetName()
	if err := copyOnce(d.volume(r.GetSourceVolumeId()), d.snapshot(id)); err != nil {
		return nil, err
	}
	made, err := os.Lstat(d.snapshot(id))
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	changed := made.Sys().(*syscall.Stat_t).Ctim
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId: id, SourceVolumeId: r.GetSourceVolumeId(), ReadyToUse: true,
		CreationTime: &timestamppb.Timestamp{Seconds: changed.Sec, Nanos: int32(changed.Nsec)},
	}}, nil
}

func (d *driver) DeleteSnapshot(_ context.Context, r *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	return &csi.DeleteSnapshotResponse{}, os.RemoveAll(d.snapshot(r.GetSnapshotId()))
}

// copyOnce copies beside the target and moves it there last, so that asking again finds nothing or all.
func copyOnce(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if _, err := os.Stat(from); err != nil {
		return status.Error(codes.NotFound, err.Error())
	}
	half := to + ".half"
	if err := os.RemoveAll(half); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	if output, err := exec.Command("cp", "-a", from, half).CombinedOutput(); err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("cp: %v: %s", err, output))
	}
	if err := os.Rename(half, to); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	return nil
}

// A pod's view of a volume: its folder, mounted.

func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node}, nil
}

func (d *driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (d *driver) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	target := r.GetTargetPath()
	if err := os.MkdirAll(target, 0o755); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if err := unmount(target); err != nil {
		return nil, err
	}
	if err := syscall.Mount(d.volume(r.GetVolumeId()), target, "", syscall.MS_BIND, ""); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if r.GetReadonly() {
		if err := syscall.Mount("", target, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

func (d *driver) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	target := r.GetTargetPath()
	if err := unmount(target); err != nil {
		return nil, err
	}
	// The folder, which must be empty by now: never what is in it, which might be the volume.
	if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// unmount ends when nothing is mounted there. It asks no table of mounts: the one of /proc is that of another namespace of
// processes, where this program is not.
func unmount(target string) error {
	for {
		err := syscall.Unmount(target, 0)
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
	}
}
