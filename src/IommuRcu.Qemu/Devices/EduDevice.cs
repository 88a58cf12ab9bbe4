// QEMU's teaching device: a 4 KiB buffer of its own and a DMA engine that moves it to and from memory.
namespace IommuRcu.Qemu.Devices;

/// <summary>One DMA of an <c>edu</c> device.</summary>
/// <param name="Address">Where in memory, as the device sees it: an IOVA behind an IOMMU.</param>
/// <param name="Length">How many bytes, 1 to <see cref="EduDevice.MaxLength"/>.</param>
/// <param name="ToMemory">True to write the buffer to memory, false to read memory into the buffer.</param>
/// <param name="BufferOffset">Where in the device's buffer.</param>
public readonly record struct EduTransfer(Iova Address, int Length, bool ToMemory, int BufferOffset = 0);

/// <summary>An <c>edu</c> device. Belongs to one thread at a time.</summary>
public sealed class EduDevice
{
    private const uint EduIdentity = 0x11e81234;
    private const ulong SourceRegister = 0x80;
    private const ulong DestinationRegister = 0x88;
    private const ulong CountRegister = 0x90;
    private const ulong CommandRegister = 0x98;
    private const ulong Buffer = 0x40000;
    private const ulong Run = 1;
    private const ulong FromDevice = 2;
    private static readonly TimeSpan _transferTimeout = TimeSpan.FromSeconds(20);
    private readonly ulong _registers;

    /// <summary>Switches the device on.</summary>
    /// <param name="function">Its PCI function.</param>
    /// <exception cref="ArgumentNullException">No function is given.</exception>
    /// <exception cref="QemuException">The function is not an <c>edu</c> device.</exception>
    public EduDevice(PciFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (function.Identity != EduIdentity)
        {
            throw new QemuException($"Slot {function.Slot} holds 0x{function.Identity:x8}, not an edu device.");
        }
        Function = function;
        _registers = function.Enable();
    }

    /// <summary>The device's PCI function.</summary>
    public PciFunction Function { get; }

    /// <summary>The longest DMA in bytes: one less than the buffer, whose very end QEMU 7.2 refuses.</summary>
    public const int MaxLength = 4095;

    /// <summary>Does one DMA and waits for its end.</summary>
    /// <exception cref="QemuException">The device did not finish in time.</exception>
    public void Transfer(EduTransfer transfer) => TransferAll([(this, transfer)]);

    /// <summary>
    /// Does one DMA on each of several devices, all started in one round trip, and waits for all. The devices' order is not defined:
    /// two that touch the same memory race.
    /// </summary>
    /// <param name="transfers">The devices, no device twice, and what each is to do.</param>
    /// <exception cref="ArgumentException">A transfer does not fit into the device's buffer.</exception>
    /// <exception cref="QemuException">A device did not finish in time.</exception>
    public static void TransferAll(IReadOnlyList<(EduDevice Device, EduTransfer Transfer)> transfers)
    {
        ArgumentNullException.ThrowIfNull(transfers);
        if (transfers.Count == 0)
        {
            return;
        }
        QtestConnection qtest = transfers[0].Device.Function.Qtest;
        QtestBatch batch = qtest.Batch();
        foreach ((EduDevice device, EduTransfer transfer) in transfers)
        {
            if (transfer.Length < 1 || transfer.BufferOffset < 0 || transfer.BufferOffset + transfer.Length > MaxLength)
            {
                throw new ArgumentException($"{transfer} does not fit into the device's buffer.", nameof(transfers));
            }
            ulong buffer = Buffer + (ulong)transfer.BufferOffset;
            batch.Write64(device._registers + SourceRegister, transfer.ToMemory ? buffer : transfer.Address.Value);
            batch.Write64(device._registers + DestinationRegister, transfer.ToMemory ? transfer.Address.Value : buffer);
            batch.Write64(device._registers + CountRegister, (ulong)transfer.Length);
            batch.Write64(device._registers + CommandRegister, Run | (transfer.ToMemory ? FromDevice : 0));
        }
        List<EduDevice> busy = [.. transfers.Select(t => t.Device)];
        long deadline = Environment.TickCount64 + (long)_transferTimeout.TotalMilliseconds;
        while (true)
        {
            // The first poll travels with the commands; a timer that fires meanwhile ends the wait at the next.
            int first = batch.Count;
            foreach (EduDevice device in busy)
            {
                batch.Read64(device._registers + CommandRegister);
            }
            ulong[] answers = batch.Run();
            for (int i = busy.Count - 1; i >= 0; i--)
            {
                if ((answers[first + i] & Run) == 0)
                {
                    busy.RemoveAt(i);
                }
            }
            if (busy.Count == 0)
            {
                return;
            }
            if (Environment.TickCount64 > deadline)
            {
                throw new QemuException($"Waited {_transferTimeout.TotalSeconds:0} s for the DMA of edu device {busy[0].Function.Slot}.");
            }
        }
    }
}
