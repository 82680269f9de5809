internal import DiskImage
internal import EngineInterface
internal import GRDB
internal import Monitor
internal import Resources
internal import SystemIO

extension EmbeddedEngine {
  /// Makes the disks a machine owns, grows those that are to be larger, and removes those that
  /// left its specification, as soon as no guest has them open.
  ///
  /// - Parameter keepsOld: whether those that others have taken the place of stay for now.
  func makeMachineDisks(
    _ uid: String, _ spec: MachineSpecification, keepsOld: Bool = false
  ) throws {
    let rows = try disks(ownedBy: uid)
    for disk in spec.disks where disk.isOwned {
      guard let row = rows.first(where: { $0.name == disk.name }) else {
        throw corruptRow("disks", "disk \(disk.name) of machine \(uid) is missing")
      }
      try makeDisk(row, backing: try row.image.map(backing))
      let asked = try disk.size.map { try Self.diskSize($0, of: "disk \(disk.name)") } ?? 0
      let wanted = max(asked, row.virtualSize)
      // By its file too, which somebody may have made smaller.
      if try wanted > min(row.virtualSize, actualSize(row) ?? 0) { try grow(row, to: wanted) }
    }
    if try !keepsOld && !isRunning(uid) { try removeLeftDisks(uid, keeping: spec.disks) }
  }

  /// The read-only image below a clone.
  private func backing(_ digest: String) throws -> (path: String, format: DiskFormat) {
    guard let image = try store.read({ db in try StoredImage.find(db, digest) }) else {
      throw corruptRow("images", "the image \(digest) is missing")
    }
    return ("\(home.image(digest))/\(image.built.disk)", image.format)
  }

  /// Removes the disks a machine owns that are none of these.
  func removeLeftDisks(_ uid: String, keeping disks: [MachineSpecification.Disk]) throws {
    let kept = Set(disks.filter(\.isOwned).map(\.name))
    for disk in try self.disks(ownedBy: uid) where !kept.contains(disk.name) {
      try removeDisk(disk)
      try store.write { db in try disk.delete(db) }
    }
  }

  /// Grows a disk through the guest that has it open.
  ///
  /// - Returns: false where none has.
  func growInGuest(_ disk: StoredDisk, to size: Int) throws -> Bool {
    for (uid, name) in try machines(showing: disk) where try isRunning(uid) {
      guard let monitor = try connectMonitor(uid) else { continue }
      do {
        try monitor.resize(disk: "disk-\(name)", to: size)
        return true
      } catch {
        // A running guest that was started without the disk; were it open all the same, QEMU's
        // lock on the file would keep anybody else from resizing it.
        continue
      }
    }
    return false
  }

  /// The machines that have a disk, with its name there.
  private func machines(showing disk: StoredDisk) throws -> [(uid: String, name: String)] {
    guard disk.name.isEmpty else { return [(disk.owner, disk.name)] }
    return try store.read { db in
      guard let id = try StoredResource.address(db, uid: disk.owner) else { return [] }
      let volume = try StoredResource.require(db, id)
      var found: [(uid: String, name: String)] = []
      for user in try volume.users(db) {
        let machine = try StoredResource.require(db, user)
        for use in try MachineSpecification(machine.resource.spec).disks
        where use.source == .volume(volume.id.name) {
          found.append((machine.uid, use.name))
        }
      }
      return found
    }
  }
}
