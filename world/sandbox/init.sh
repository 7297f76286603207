#!/usr/bin/env bash
# pid 1 of a world: mounts, network, and every component. Its death ends them all.
# Takes its settings from the environment (sandbox/start.ts): RUN TOOLS_* NODE NODE_IP POD_CIDR SVC_CIDR CGROUP_VERSION
set -euo pipefail
C=$RUN/config P=/etc/kubernetes/pki K=$RUN/kubeconfigs CTR="ctr --address /run/containerd/containerd.sock"
busybox() { "$TOOLS_DEBIAN/usr/bin/busybox" "$@"; }
stage() { echo "$1" >> "$RUN/stages"; }
# Starts a component; its output goes to a file of its name.
service() { local name=$1; shift; "$@" > "$RUN/log/$name.log" 2>&1 < /dev/null & }
until_ok() { # seconds command...: tries ten times a second
  local tries=$(($1 * 10)); shift
  for _ in $(seq "$tries"); do if "$@" > /dev/null 2>&1; then return 0; fi; sleep 0.1; done
  echo "gave up waiting for: $*" >&2; stage "failed: $*"; return 1
}

busybox hostname "$NODE"
mount --make-rshared /
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
if [ "$CGROUP_VERSION" = 1 ]; then
  awk -F: '$2 != "" && $1 != "0" { print $2 }' /proc/self/cgroup | while read -r controllers; do
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir -p "$folder"; mount -t cgroup -o "$controllers" cgroup "$folder"
  done
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  # A group that hands controllers on may hold no process itself.
  mkdir /sys/fs/cgroup/world; echo 1 > /sys/fs/cgroup/world/cgroup.procs
  for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$c" > /sys/fs/cgroup/cgroup.subtree_control; done
fi
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock /run/sysctl
mount -t tmpfs -o mode=755 tmpfs /var/log
# The kubelet wants these values; it is shown them, and the machine keeps its own.
sysctl() { local f=/run/sysctl/${1//\//_}; echo "$2" > "$f"; mount --bind "$f" "/proc/sys/$1"; }
sysctl vm/overcommit_memory 1; sysctl kernel/panic 10; sysctl kernel/panic_on_oops 1
# A node as kubeadm makes it: its places exist here without existing on the machine.
for d in /etc /var/lib; do
  mkdir -p "/run/over$d/upper" "/run/over$d/work"
  mount -t overlay -o "lowerdir=$d,upperdir=/run/over$d/upper,workdir=/run/over$d/work" overlay "$d"
done
for pair in kubernetes:/etc/kubernetes kubelet:/var/lib/kubelet etcd:/var/lib/etcd; do
  mkdir -p "${pair#*:}"; mount --bind "$RUN/${pair%%:*}" "${pair#*:}"
done
stage mounts

# A network of its own: nothing leaves it, so no address can clash.
busybox ip link set lo up
busybox ip link add node0 type bridge; busybox ip addr add "$NODE_IP/24" dev node0; busybox ip link set node0 up
busybox ip route add default dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward
stage network

service emulator bash "$C/emulator.sh"
export PATH="$RUN/bin:$TOOLS_KUBERNETES:$TOOLS_DEBIAN/usr/bin:$TOOLS_DEBIAN/usr/sbin:$PATH"
service etcd etcd --name "$NODE" --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn \
  --listen-client-urls "https://127.0.0.1:2379,https://$NODE_IP:2379" --advertise-client-urls "https://$NODE_IP:2379" \
  --client-cert-auth --trusted-ca-file "$P/etcd/ca.crt" --cert-file "$P/etcd/server.crt" --key-file "$P/etcd/server.key" \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster "$NODE=http://127.0.0.1:2380"
service kube-apiserver kube-apiserver --etcd-servers=https://127.0.0.1:2379 --etcd-cafile="$P/etcd/ca.crt" \
  --etcd-certfile="$P/apiserver-etcd-client.crt" --etcd-keyfile="$P/apiserver-etcd-client.key" \
  --secure-port=6443 --advertise-address="$NODE_IP" --allow-privileged --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --anonymous-auth=false \
  --client-ca-file="$P/ca.crt" --tls-cert-file="$P/apiserver.crt" --tls-private-key-file="$P/apiserver.key" \
  --kubelet-certificate-authority="$P/ca.crt" --kubelet-client-certificate="$P/apiserver-kubelet-client.crt" \
  --kubelet-client-key="$P/apiserver-kubelet-client.key" --kubelet-preferred-address-types=InternalIP \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --service-account-key-file="$P/sa.pub" --service-account-signing-key-file="$P/sa.key" \
  --service-cluster-ip-range="$SVC_CIDR" --endpoint-reconciler-type=lease
service containerd containerd --config "$C/containerd.toml"
until_ok 20 $CTR version
for image in "$TOOLS_IMAGES"/*.tar; do $CTR -n k8s.io images import "$image"; done
stage images

# A component that starts before the API server waits longer after every try: seconds are lost.
export KUBECONFIG=$K/admin.kubeconfig
until_ok 60 kubectl get --raw /readyz
stage api-server
# Lets the API server reach the kubelet: logs, exec.
kubectl create clusterrolebinding kubelet-api --clusterrole=system:kubelet-api-admin --user=kube-apiserver-kubelet-client
service kubelet kubelet --config="$C/kubelet.yaml" --kubeconfig="$K/kubelet.kubeconfig" --root-dir=/var/lib/kubelet \
  --hostname-override="$NODE" --node-ip="$NODE_IP"
own() { echo "--kubeconfig=$K/$1.kubeconfig --authentication-kubeconfig=$K/$1.kubeconfig --authorization-kubeconfig=$K/$1.kubeconfig"; }
service kube-controller-manager kube-controller-manager $(own kube-controller-manager) --leader-elect=false --bind-address=127.0.0.1 \
  --service-account-private-key-file="$P/sa.key" --root-ca-file="$P/ca.crt" --use-service-account-credentials --pvclaimbinder-sync-period=1s
service kube-scheduler kube-scheduler $(own kube-scheduler) --leader-elect=false --bind-address=127.0.0.1
service kube-proxy kube-proxy --config="$C/kube-proxy.yaml"
kubectl apply -f "$C/storage-class.json"
service storage-driver bash "$C/storage-driver.sh"
until_ok 60 busybox wget -q -O /dev/null "$EMULATOR_HEALTH"
stage emulator
until_ok 30 kubectl get node "$NODE"
# As kubeadm marks it, but without the taint: applications run here, too.
kubectl label node "$NODE" node-role.kubernetes.io/control-plane=
kubectl wait --for=condition=Ready --timeout=60s "node/$NODE"
until_ok 30 kubectl -n default get serviceaccount default
stage ready
# pid 1 inherits orphans, and waits for its own end.
while :; do wait || true; sleep 1; done
