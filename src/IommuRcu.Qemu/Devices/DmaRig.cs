// DMA with chosen bytes: edu devices side by side, each with a mailbox through which its buffer is filled and read.
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Devices;

/// <summary>One access that a device is to try.</summary>
/// <param name="Address">Where, as the device sees it.</param>
/// <param name="Length">How many bytes, 1 to <see cref="EduDevice.MaxLength"/>.</param>
/// <param name="IsWrite">Whether the device writes memory; otherwise it reads.</param>
public readonly record struct DmaAccess(Iova Address, int Length, bool IsWrite);

/// <summary>
/// Lets devices read and write with bytes that the caller chooses and sees. An <c>edu</c> device's buffer is reached by DMA only, so each device
/// has a mailbox: two pages that must be mapped, readable and writable, at <see cref="MailboxIova"/>. Belongs to one thread at a time.
/// </summary>
public sealed class DmaRig
{
    /// <summary>The size in bytes of one device's mailbox: a page to fill the buffer from, a page to empty it into.</summary>
    public const ulong MailboxSize = 0x2000;

    private readonly QemuMachine _machine;
    private readonly EduDevice[] _devices;

    /// <summary>Takes the machine's devices.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="mailboxMemory">Guest memory for the mailboxes: <see cref="MailboxesSize"/> bytes.</param>
    /// <param name="mailboxIova">Where the devices see that memory.</param>
    public DmaRig(QemuMachine machine, PhysicalAddress mailboxMemory, Iova mailboxIova)
    {
        ArgumentNullException.ThrowIfNull(machine);
        _machine = machine;
        _devices = [.. machine.Edus];
        MailboxMemory = mailboxMemory;
        MailboxIova = mailboxIova;
    }

    /// <summary>How many accesses run side by side.</summary>
    public int Width => _devices.Length;

    /// <summary>The mailboxes' memory.</summary>
    public PhysicalAddress MailboxMemory { get; }

    /// <summary>Where the devices see the mailboxes.</summary>
    public Iova MailboxIova { get; }

    /// <summary>The size of all mailboxes in bytes.</summary>
    public ulong MailboxesSize => (ulong)_devices.Length * MailboxSize;

    /// <summary>DMAs done so far, those for the mailboxes included.</summary>
    public long Transfers { get; private set; }

    /// <summary>The requester id of the device that does the access at an index of a batch.</summary>
    public ushort RequesterId(int index) => _devices[index % Width].Function.RequesterId;

    /// <summary>Does one access.</summary>
    /// <param name="access">The access.</param>
    /// <param name="bytes">What to write; or, for a read, what the device's buffer holds before.</param>
    /// <param name="device">Which device does it.</param>
    /// <returns>What the device's buffer holds after: for a read that was allowed, what was read.</returns>
    public byte[] Run(DmaAccess access, ReadOnlySpan<byte> bytes, int device = 0)
    {
        byte[] buffer = bytes.ToArray();
        RunBatch([access], [buffer], device);
        return buffer;
    }

    /// <summary>
    /// Does several accesses, as many side by side as there are devices. Those of one batch of <see cref="Width"/> race with each other.
    /// </summary>
    /// <param name="accesses">The accesses.</param>
    /// <param name="buffers">For each the bytes to write, or what the device's buffer holds before; replaced by what it holds after.</param>
    /// <param name="firstDevice">The device that does the first one; the others follow, and wrap around.</param>
    /// <param name="afterEach">If given, the accesses are done one after the other, and this is called after each with its index.</param>
    /// <exception cref="ArgumentException">The two lists do not match.</exception>
    /// <exception cref="QemuException">A device did not finish in time.</exception>
    public void RunBatch(
        IReadOnlyList<DmaAccess> accesses, IReadOnlyList<byte[]> buffers, int firstDevice = 0, Action<int>? afterEach = null)
    {
        ArgumentNullException.ThrowIfNull(accesses);
        ArgumentNullException.ThrowIfNull(buffers);
        if (accesses.Count != buffers.Count)
        {
            throw new ArgumentException("Every access needs a buffer.", nameof(buffers));
        }
        for (int start = 0; start < accesses.Count; start += Width)
        {
            int count = int.Min(Width, accesses.Count - start);
            int Device(int i) => (firstDevice + i) % Width;
            for (int i = 0; i < count; i++)
            {
                DmaAccess access = accesses[start + i];
                if (buffers[start + i].Length != access.Length)
                {
                    throw new ArgumentException("A buffer's length is its access's.", nameof(buffers));
                }
                buffers[start + i].CopyTo(_machine.Memory.Span(MailboxMemory + ((ulong)Device(i) * MailboxSize), access.Length));
            }
            Step(i => new EduTransfer(MailboxIova + ((ulong)Device(i) * MailboxSize), accesses[start + i].Length, ToMemory: false));
            EduTransfer Access(int i) => new(accesses[start + i].Address, accesses[start + i].Length, accesses[start + i].IsWrite);
            if (afterEach is null)
            {
                Step(Access);
            }
            else
            {
                for (int i = 0; i < count; i++)
                {
                    _devices[Device(i)].Transfer(Access(i));
                    Transfers++;
                    afterEach(start + i);
                }
            }
            Step(i => new EduTransfer(MailboxIova + ((ulong)Device(i) * MailboxSize) + 0x1000, accesses[start + i].Length, ToMemory: true));
            for (int i = 0; i < count; i++)
            {
                PhysicalAddress emptied = MailboxMemory + ((ulong)Device(i) * MailboxSize) + 0x1000;
                _machine.Memory.Span(emptied, accesses[start + i].Length).CopyTo(buffers[start + i]);
            }

            void Step(Func<int, EduTransfer> transfer)
            {
                EduDevice.TransferAll([.. Enumerable.Range(0, count).Select(i => (_devices[Device(i)], transfer(i)))]);
                Transfers += count;
            }
        }
    }
}
