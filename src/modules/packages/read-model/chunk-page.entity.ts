import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Digests of up to 512 neighbouring chunks, end to end: 20 bytes SHA-1 and 32 bytes SHA-256 each. */
@Entity('chunk_pages')
export class ChunkPageEntity {
  @PrimaryColumn('uuid', { name: 'package_id' }) packageId!: string;
  @PrimaryColumn('integer') first!: number;
  @Column('integer') count!: number;
  @Column('bytea') sha1!: Buffer;
  @Column('bytea') sha256!: Buffer;
}
